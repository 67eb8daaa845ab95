import openapi from '../../contract/openapi.json';
import { ApiError } from '../api/ApiError';
import type { QueueResult } from '../api/types';
import * as en from '../i18n/en';
import * as it_ from '../i18n/it';
import { announcementOf } from './announce';
import { errorWords, outcomeWords, queueWords } from './outcomeWords';

const { schemas } = openapi.components;
const LANGUAGES = [
  ['English', en.actions],
  ['Italian', it_.actions],
] as const;

describe.each(LANGUAGES)('in %s', (_, texts) => {
  const ids = [...schemas.ErrorBody.properties.id.enum, 'unreachable', 'not_configured', 'signed_out'];

  it.each(ids)('%s says what happened, and what to do next', (id) => {
    const words = errorWords(texts, new ApiError(id as 'refused', 400, 'said by the API'));
    expect(words.what.length).toBeGreaterThan(10);
    expect(words.next.length).toBeGreaterThan(10);
    expect(words.apiText).toBe('said by the API');
  });

  it('an error that a newer control API has says to look whether it was done', () => {
    const words = errorWords(texts, new ApiError('of_tomorrow' as 'refused', 409, 'said by the API'));
    expect(words).toEqual({ ...texts.errors.other, apiText: 'said by the API' });
  });

  it('a result that a newer control API has is told by its id', () => {
    const queue = { queue: 'billing', change: 'mute', result: 'deferred', message: '', seen: false };
    const words = outcomeWords(texts, { is: 'of_tomorrow' as 'done', queues: [queue as unknown as QueueResult] });
    expect(words).toMatchObject({ severity: 'warning', what: 'of_tomorrow' });
    expect(queueWords(texts, words.queues[0])).toBe('mute: deferred');
    const right = 'listen' as 'pause';
    expect(errorWords(texts, new ApiError('forbidden', 403, '', { right })).what).toContain('listen');
  });

  it('every result of a queue has words of its own', () => {
    const words = schemas.Verdict.enum.map((result) =>
      queueWords(texts, { queue: 'billing', change: 'add', result, message: '', seen: false } as QueueResult)
    );
    expect(new Set(words).size).toBe(words.length);
  });
});

it('names the right that is missing, and when to come again', () => {
  expect(errorWords(en.actions, new ApiError('forbidden', 403, '', { right: 'move_callers' })).what).toContain(
    'move waiting callers'
  );
  expect(errorWords(en.actions, new ApiError('too_many_requests', 429, '', { retry_after_s: 7 })).next).toBe(
    'Try again in 7 s.'
  );
});

describe('without an answer of the switchboard', () => {
  const queues: QueueResult[] = [
    { queue: 'billing', change: 'pause', result: 'timed_out', message: '', seen: true },
    { queue: 'sales', change: 'pause', result: 'timed_out', message: '', seen: false },
    { queue: 'support', change: 'pause', result: 'not_tried', message: '', seen: false },
  ];
  const error = new ApiError('timed_out', 504, '', { queues });

  it('tells what is seen in each queue, and that nothing is repeated', () => {
    const words = outcomeWords(en.actions, { is: 'failed', error });
    expect(words.queues.map((each) => queueWords(en.actions, each))).toEqual([
      'pause: no answer, but the live state shows that it was done',
      'pause: no answer, and the live state does not show it so far',
      'pause: not tried',
    ]);
    expect(words.next).toContain('Nothing is repeated');
  });

  it('the announcement tells the same', () => {
    const asked = { what: 'Pause Anna Rossi', done: 'Anna Rossi is paused' };
    const { severity, title, text } = announcementOf(en.actions, asked, { is: 'failed', error });
    expect([severity, title]).toEqual(['error', 'Pause Anna Rossi']);
    expect(text).toContain('billing: pause: no answer, but the live state shows that it was done.');
  });
});

it('announces what is done in one line', () => {
  const asked = { what: 'Pause Anna Rossi', done: 'Anna Rossi is paused' };
  expect(announcementOf(en.actions, asked, { is: 'done', queues: [] })).toEqual({
    severity: 'success',
    title: 'Anna Rossi is paused',
    text: '',
  });
});
