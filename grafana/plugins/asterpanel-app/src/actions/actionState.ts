import type { ApiError } from '../api/ApiError';
import type { ActionResult, QueueResult, QueuesResult } from '../api/types';

/** What the control API answers to an action. */
export type Answer = ActionResult | QueuesResult;

/** How an action stands. Nothing is told before the switchboard has told it. */
export type ActionState =
  | { is: 'idle' }
  | { is: 'pending' }
  | { is: 'done' | 'accepted' | 'partial' | 'already_so'; queues: QueueResult[] }
  | { is: 'failed'; error: ApiError };

/** Actions that have come to an end, whichever. */
export type SettledState = Exclude<ActionState, { is: 'idle' | 'pending' }>;

/** What happens to an action: it is asked for, it is answered, it comes to nothing, its result has been read. */
export type ActionEvent =
  { is: 'asked' } | { is: 'answered'; answer: Answer } | { is: 'refused'; error: ApiError } | { is: 'put_away' };

export const IDLE: ActionState = { is: 'idle' };

/**
 * How an action stands after an event; the same object if that changes nothing: who asks twice is heard once,
 * and what the switchboard is doing cannot be put away.
 */
export function nextActionState(state: ActionState, event: ActionEvent): ActionState {
  const isPending = state.is === 'pending';
  switch (event.is) {
    case 'asked':
      return isPending ? state : { is: 'pending' };
    case 'answered':
      return isPending ? { is: event.answer.result, queues: event.answer.queues } : state;
    case 'refused':
      return isPending ? refused(event.error) : state;
    case 'put_away':
      return isPending || state.is === 'idle' ? state : IDLE;
  }
}

/** Of some actions "it is so already" is an error's id, of others a result; to people both are the same. */
function refused(error: ApiError): ActionState {
  return error.id === 'already_so' ? { is: 'already_so', queues: error.detail.queues ?? [] } : { is: 'failed', error };
}
