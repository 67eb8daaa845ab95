import type { LiveState, Queue, WaitingCaller } from '../api/types';
import { agentOfMember } from './members';
import { rowCache } from './rowCache';
import { searchable } from './search';

/** A queue as the panel shows it. */
export interface QueueRow {
  /** Its name. */
  key: string;
  name: string;
  queue: Queue;
  /** Since when the caller who has waited longest waits, in Unix seconds; null: nobody waits. */
  longestSince: number | null;
  /** Agents who would get a call now. */
  free: number;
  agents: number;
  /** Of today, 0 to 1; null: none counts. */
  serviceLevel: number | null;
  /** The queue's own line, and one for each who waits. */
  lines: readonly QueueLine[];
  searchable: string;
}

/** A line of the table of queues: a queue, or somebody who waits in it. */
export type QueueLine = { is: 'queue'; key: string; row: QueueRow } | CallerLine;

/** Somebody who waits. */
export interface CallerLine {
  is: 'caller';
  key: string;
  queue: string;
  caller: WaitingCaller;
  levels: Queue['levels']['longest_wait_s'];
}

/** By what queues can be sorted. */
export type QueueOrder = 'name' | 'waiting' | 'longest_wait' | 'in_progress' | 'agents' | 'service_level';

/** By what, as a figure; null: the name. A longer wait is a bigger figure. */
export const QUEUE_FIGURES: Record<QueueOrder, ((row: QueueRow) => number) | null> = {
  name: null,
  waiting: ({ queue }) => queue.waiting.length,
  longest_wait: ({ longestSince }) => (longestSince === null ? -Infinity : -longestSince),
  in_progress: ({ queue }) => queue.in_progress.length,
  agents: ({ free }) => free,
  service_level: ({ serviceLevel }) => serviceLevel ?? Infinity,
};

/** Makes the rows of a live state's queues; what did not change since the last time stays the same object. */
export function queueRows(): (document: LiveState) => readonly QueueRow[] {
  const cached = rowCache(queueRow);
  return ({ queues }) => cached(Object.entries(queues).map(([name, queue]) => [name, [queue]]));
}

/** The lines of queues, each with those who wait in it if they are to be shown. */
export function linesOf(rows: readonly QueueRow[], withCallers: boolean): readonly QueueLine[] {
  return rows.flatMap(({ lines }) => (withCallers ? lines : lines.slice(0, 1)));
}

function queueRow(name: string, queue: Queue): QueueRow {
  const row: QueueRow = {
    key: name,
    name,
    queue,
    longestSince: queue.waiting.length === 0 ? null : Math.min(...queue.waiting.map(({ since }) => since)),
    ...agentsOf(queue),
    serviceLevel: queue.today.service_level ?? null,
    lines: [],
    searchable: searchable(name),
  };
  return Object.assign(row, { lines: [{ is: 'queue', key: `queue ${name}`, row }, ...callerLines(name, queue)] });
}

function callerLines(name: string, queue: Queue): CallerLine[] {
  return queue.waiting.map((caller) => ({
    is: 'caller',
    key: `caller ${name} ${caller.uniqueid ?? `${caller.since} ${caller.position}`}`,
    queue: name,
    caller,
    levels: queue.levels.longest_wait_s,
  }));
}

/** An agent counts once, by whichever of his interfaces; he is free if one of them is. */
function agentsOf(queue: Queue): { agents: number; free: number } {
  const all = new Set<string>();
  const free = new Set<string>();
  for (const [key, member] of Object.entries(queue.members)) {
    const agent = agentOfMember(key, member);
    all.add(agent);
    if (member.state === 'idle') {
      free.add(agent);
    }
  }
  return { agents: all.size, free: free.size };
}
