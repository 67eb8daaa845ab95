import fc from 'fast-check';

import { ApiError } from '../api/ApiError';
import { ActionEvent, ActionState, IDLE, nextActionState } from './actionState';

const answered = (result: 'done' | 'accepted' | 'partial' | 'already_so'): ActionEvent => ({
  is: 'answered',
  answer: { action: 'set_queues', switchboard: 'milano', result, queues: [] },
});
const refusedBy = (error: ApiError): ActionEvent => ({ is: 'refused', error });
const PENDING: ActionState = { is: 'pending' };

describe('an action', () => {
  it('is pending from when it is asked for until it is answered', () => {
    expect(nextActionState(IDLE, { is: 'asked' })).toEqual(PENDING);
    for (const result of ['done', 'accepted', 'partial', 'already_so'] as const) {
      expect(nextActionState(PENDING, answered(result))).toEqual({ is: result, queues: [] });
    }
  });

  it('has failed with the error that came back', () => {
    const error = new ApiError('not_connected', 503);
    expect(nextActionState(PENDING, refusedBy(error))).toEqual({ is: 'failed', error });
  });

  it('that was so already is no failure, also where the control API calls it an error', () => {
    const queues = [{ queue: 'billing', change: 'pause', result: 'already_so', message: '', seen: true }] as const;
    const error = new ApiError('already_so', 409, '', { queues: [...queues] });
    expect(nextActionState(PENDING, refusedBy(error))).toEqual({ is: 'already_so', queues });
  });

  it('can be asked for again after it has settled', () => {
    expect(nextActionState({ is: 'failed', error: new ApiError('no_state', 503) }, { is: 'asked' })).toEqual(PENDING);
  });

  const event: fc.Arbitrary<ActionEvent> = fc.oneof(
    fc.constant<ActionEvent>({ is: 'asked' }),
    fc.constant<ActionEvent>({ is: 'put_away' }),
    fc.constantFrom('done', 'accepted', 'partial', 'already_so').map((result) => answered(result as 'done')),
    fc.constantFrom('timed_out', 'already_so').map((id) => refusedBy(new ApiError(id as 'timed_out', 504)))
  );

  it('is never over without an answer, and never done without having been asked for', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        let state: ActionState = IDLE;
        for (const each of events) {
          const next: ActionState = nextActionState(state, each);
          if (state.is === 'pending' && next !== state) {
            expect(['answered', 'refused']).toContain(each.is);
          }
          if (next !== state && next.is !== 'pending' && next.is !== 'idle') {
            expect(state.is).toBe('pending');
          }
          state = next;
        }
      })
    );
  });
});
