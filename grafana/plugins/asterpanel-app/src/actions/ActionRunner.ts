import { asApiError } from '../api/ApiError';
import { ActionEvent, ActionState, Answer, IDLE, SettledState, nextActionState } from './actionState';

/** How the actions stand, by key; one that is not there is idle. */
export type ActionStates = ReadonlyMap<string, ActionState>;

/**
 * Asks the switchboard for actions, and knows how each stands. What has the same key, such as all that is done to
 * one agent, is asked for one after the other: while one is pending, no second request leaves.
 */
export class ActionRunner {
  private current: ActionStates = new Map();
  private readonly listeners = new Set<() => void>();

  /** The same map until something changes. */
  readonly states = (): ActionStates => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /**
   * Ask for an action, unless one with this key is pending.
   *
   * @param key - of whom or what it is about
   * @param ask - sends the request; called once at most
   * @param onSettled - told the outcome, also when nobody looks any more
   * @returns whether it was asked for
   */
  start(key: string, ask: () => Promise<Answer>, onSettled: (state: SettledState) => void): boolean {
    const isAsked = this.send(key, { is: 'asked' });
    if (isAsked) {
      void this.settle(key, ask, onSettled);
    }
    return isAsked;
  }

  /** Forget an outcome that has been read. */
  putAway(key: string): void {
    this.send(key, { is: 'put_away' });
  }

  private async settle(key: string, ask: () => Promise<Answer>, onSettled: (state: SettledState) => void) {
    this.send(key, await outcomeOf(ask));
    const state = stateOf(this.current, key);
    if (state.is !== 'idle' && state.is !== 'pending') {
      onSettled(state);
    }
  }

  private send(key: string, event: ActionEvent): boolean {
    const before = stateOf(this.current, key);
    const after = nextActionState(before, event);
    if (after === before) {
      return false;
    }
    this.current = new Map(this.current).set(key, after);
    this.listeners.forEach((listener) => listener());
    return true;
  }
}

/** How the action with this key stands. */
export function stateOf(states: ActionStates, key: string): ActionState {
  return states.get(key) ?? IDLE;
}

async function outcomeOf(ask: () => Promise<Answer>): Promise<ActionEvent> {
  try {
    return { is: 'answered', answer: await ask() };
  } catch (error) {
    return { is: 'refused', error: asApiError(error) };
  }
}
