import { ApiError } from '../api/ApiError';
import type { ActionResult } from '../api/types';
import { ActionRunner, stateOf } from './ActionRunner';
import type { SettledState } from './actionState';

const DONE: ActionResult = { action: 'pause', switchboard: 'milano', result: 'done', queues: [] };

/** A request that the test answers. */
function request() {
  let answer: (result: ActionResult) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const sent = jest.fn(
    () =>
      new Promise<ActionResult>((resolve, reject) => {
        answer = resolve;
        refuse = reject;
      })
  );
  return { sent, answer: (result: ActionResult) => answer(result), refuse: (error: Error) => refuse(error) };
}

function settled() {
  const states: SettledState[] = [];
  return { states, told: (state: SettledState) => void states.push(state) };
}

it('sends one request, however often it is asked while that is pending', async () => {
  const runner = new ActionRunner();
  const { sent, answer } = request();
  const { states, told } = settled();
  runner.start('agent:1001', sent, told);
  runner.start('agent:1001', sent, told);
  expect(sent).toHaveBeenCalledTimes(1);
  expect(stateOf(runner.states(), 'agent:1001').is).toBe('pending');
  answer(DONE);
  await Promise.resolve().then(() => Promise.resolve());
  expect(states).toEqual([{ is: 'done', queues: [] }]);
  runner.start('agent:1001', sent, told);
  expect(sent).toHaveBeenCalledTimes(2);
});

it('asks for different agents at the same time', () => {
  const runner = new ActionRunner();
  const [one, two] = [request(), request()];
  runner.start('agent:1001', one.sent, () => {});
  runner.start('agent:1002', two.sent, () => {});
  expect(two.sent).toHaveBeenCalled();
});

it('cannot be made to forget what the switchboard is doing', async () => {
  const runner = new ActionRunner();
  const { sent, refuse } = request();
  const { states, told } = settled();
  runner.start('agent:1001', sent, told);
  runner.putAway('agent:1001');
  expect(stateOf(runner.states(), 'agent:1001').is).toBe('pending');
  refuse(new ApiError('timed_out', 504));
  await Promise.resolve().then(() => Promise.resolve());
  expect(states.map((state) => state.is)).toEqual(['failed']);
  runner.putAway('agent:1001');
  expect(stateOf(runner.states(), 'agent:1001').is).toBe('idle');
});

it('tells its listeners of each change, until they leave', () => {
  const runner = new ActionRunner();
  const listener = jest.fn();
  const leave = runner.subscribe(listener);
  runner.start('agent:1001', request().sent, () => {});
  runner.start('agent:1001', request().sent, () => {});
  expect(listener).toHaveBeenCalledTimes(1);
  leave();
  runner.start('agent:1002', request().sent, () => {});
  expect(listener).toHaveBeenCalledTimes(1);
});
