import type { CallInProgress, LiveState } from '../api/types';
import { ownValue } from './records';
import { rowCache } from './rowCache';
import { searchable } from './search';

/** A call in progress as the panel shows it. */
export interface CallRow {
  key: string;
  /** Of its queue. */
  name: string;
  /** Name of the agent; "" if he is not in sight. */
  agentName: string;
  call: CallInProgress;
  searchable: string;
}

/** By what calls can be sorted. */
export type CallOrder = 'queue' | 'time';

/** By what, as a figure; null: the queue's name. A longer call is a bigger figure. */
export const CALL_FIGURES: Record<CallOrder, ((row: CallRow) => number) | null> = {
  queue: null,
  time: ({ call }) => -call.since,
};

/** Makes the rows of a live state's calls; what did not change since the last time stays the same object. */
export function callRows(): (document: LiveState) => readonly CallRow[] {
  const cached = rowCache(callRow);
  return ({ queues, agents }) =>
    cached(
      Object.entries(queues).flatMap(([queue, { in_progress }]) =>
        in_progress.map((call, at) => [keyOf(queue, call, at), [call, queue, nameOf(agents, call)]] as const)
      )
    );
}

function callRow(key: string, call: CallInProgress, queue: string, agentName: string): CallRow {
  return { key, name: queue, agentName, call, searchable: searchable(queue, agentName, call.agent ?? '') };
}

/** Who may not see the unique id still sees by the agent and the time which call it is. */
function keyOf(queue: string, call: CallInProgress, at: number): string {
  return JSON.stringify([queue, call.uniqueid ?? [call.agent ?? at, call.since]]);
}

function nameOf(agents: LiveState['agents'], { agent }: CallInProgress): string {
  return agent === undefined ? '' : (ownValue(agents, agent)?.name ?? agent);
}
