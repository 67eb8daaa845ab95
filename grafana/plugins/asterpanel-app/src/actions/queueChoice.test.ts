import { changedMeanwhile, choiceOf, keepMine, takeOver, ticked, wantedOf, withPenalty } from './queueChoice';

const QUEUES = ['billing', 'sales', 'support'];
const NOW = new Map([
  ['billing', 0],
  ['support', 3],
]);

it('is at first what is', () => {
  expect(wantedOf(choiceOf(NOW), QUEUES)).toEqual({ wanted: NOW, invalid: [] });
});

it('ticks a queue with penalty 0, or with the one that he had', () => {
  const sales = ticked(choiceOf(NOW), 'sales', true);
  expect(wantedOf(sales, QUEUES).wanted.get('sales')).toBe(0);
  const again = ticked(ticked(choiceOf(NOW), 'support', false), 'support', true);
  expect(wantedOf(again, QUEUES).wanted).toEqual(NOW);
});

it('tells a penalty that is none', () => {
  expect(wantedOf(withPenalty(choiceOf(NOW), 'support', '-1'), QUEUES).invalid).toEqual(['support']);
});

it('does not ask for a queue that may not be changed any more', () => {
  expect(wantedOf(choiceOf(NOW), ['support']).wanted).toEqual(new Map([['support', 3]]));
});

it('takes over what others did, or undoes it', () => {
  const mine = ticked(choiceOf(NOW), 'sales', true);
  const now = new Map([['billing', 0]]);
  expect(changedMeanwhile(mine, now, QUEUES)).toEqual(['support']);

  const theirs = takeOver(mine, now, QUEUES);
  expect(wantedOf(theirs, QUEUES).wanted).toEqual(new Map([...now, ['sales', 0]]));
  expect(changedMeanwhile(theirs, now, QUEUES)).toEqual([]);

  const kept = keepMine(mine, now);
  expect(wantedOf(kept, QUEUES).wanted).toEqual(new Map([...NOW, ['sales', 0]]));
  expect(changedMeanwhile(kept, now, QUEUES)).toEqual([]);
});
