import type { Agent, AgentState, LiveState, Queue } from '../api/types';
import { agentOfMember } from './members';
import { rowCache } from './rowCache';
import { searchable } from './search';

/** An agent as the panel shows him. */
export interface AgentRow {
  /** His id. */
  key: string;
  name: string;
  agent: Agent;
  /** Queues in which he is paused while he is not in others, in order. */
  pausedIn: readonly string[];
  searchable: string;
}

/** By what agents can be sorted. */
export type AgentOrder = 'state' | 'name' | 'time' | 'answered';

/** Which agents are shown. */
export interface AgentFilter {
  /** Empty: any state. */
  states: readonly AgentState[];
  hideUnavailable: boolean;
  /** He is shown if one of his queues is; null: whichever queues he has. */
  queue: ((name: string) => boolean) | null;
}

/** States in the order of the panel: busy ones first, those whom no call can reach last. */
export const AGENT_STATES: readonly AgentState[] = [
  'ringing',
  'on_call',
  'on_hold',
  'wrapup',
  'idle',
  'paused',
  'unavailable',
];

/** By what, as a figure; null: the name. A longer time is a bigger figure. */
export const AGENT_FIGURES: Record<AgentOrder, ((row: AgentRow) => number) | null> = {
  state: ({ agent }) => AGENT_STATES.indexOf(agent.state),
  name: null,
  time: ({ agent }) => -agent.since,
  answered: ({ agent }) => agent.today?.answered ?? -1,
};

/** Makes the rows of a live state's agents; what did not change since the last time stays the same object. */
export function agentRows(): (document: LiveState) => readonly AgentRow[] {
  const pausedAgents = new WeakMap<Queue, readonly string[]>();
  const cached = rowCache(agentRow);
  return ({ agents, queues }) => {
    const pauses = pausesByAgent(queues, pausedAgents);
    return cached(Object.entries(agents).map(([id, agent]) => [id, [agent, partOf(agent, pauses.get(id))]]));
  };
}

/** Those agents who pass the filter. */
export function filteredAgents(rows: readonly AgentRow[], filter: AgentFilter): readonly AgentRow[] {
  const { states, hideUnavailable, queue } = filter;
  return rows.filter(
    ({ agent }) =>
      (states.length === 0 || states.includes(agent.state)) &&
      !(hideUnavailable && agent.state === 'unavailable') &&
      (queue === null || agent.queues.some(queue))
  );
}

function agentRow(id: string, agent: Agent, pausedIn: string): AgentRow {
  return {
    key: id,
    name: agent.name || id,
    agent,
    pausedIn: pausedIn === '' ? [] : pausedIn.split('\n'),
    searchable: searchable(agent.name, id, agent.pause_reason, ...agent.queues),
  };
}

/** As one string, which is equal as long as nothing changes; names of queues have no line ends. */
function partOf(agent: Agent, queues: readonly string[] | undefined): string {
  return agent.paused || !queues ? '' : queues.join('\n');
}

function pausesByAgent(
  queues: LiveState['queues'],
  known: WeakMap<Queue, readonly string[]>
): ReadonlyMap<string, readonly string[]> {
  const pauses = new Map<string, string[]>();
  for (const [name, queue] of Object.entries(queues)) {
    for (const agent of pausedIn(queue, known)) {
      const list = pauses.get(agent);
      if (list) {
        list.push(name);
      } else {
        pauses.set(agent, [name]);
      }
    }
  }
  return pauses;
}

function pausedIn(queue: Queue, known: WeakMap<Queue, readonly string[]>): readonly string[] {
  let agents = known.get(queue);
  if (!agents) {
    const paused = Object.entries(queue.members).filter(([, member]) => member.paused);
    agents = [...new Set(paused.map(([key, member]) => agentOfMember(key, member)))];
    known.set(queue, agents);
  }
  return agents;
}
