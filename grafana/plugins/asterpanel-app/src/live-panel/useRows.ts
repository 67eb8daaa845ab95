import { useMemo, useState } from 'react';

import type { LiveState } from '../api/types';
import { AgentRow, agentRows, filteredAgents } from '../view/agents';
import { CallRow, callRows } from '../view/calls';
import { QueuePattern, queuePattern } from '../view/queuePattern';
import { QueueRow, queueRows } from '../view/queues';
import type { Options } from './options';

/** What the panel is about: rows that pass its own filter, not yet searched or sorted. */
export interface Rows {
  queues: readonly QueueRow[];
  agents: readonly AgentRow[];
  calls: readonly CallRow[];
  /** Whether there is any in sight at all. */
  isAnyQueue: boolean;
  isAnyAgent: boolean;
  pattern: QueuePattern;
}

/** The rows of a live state. Those of what did not change are the same objects as before. */
export function useRows(document: LiveState, options: Options): Rows {
  const [make] = useState(() => ({ queues: queueRows(), agents: agentRows(), calls: callRows() }));
  const pattern = useMemo(() => queuePattern(options.queuePattern), [options.queuePattern]);
  const { agentStates, hideUnavailable, onlyWaiting } = options;
  const all = useMemo(
    () => ({ queues: make.queues(document), agents: make.agents(document), calls: make.calls(document) }),
    [make, document]
  );
  const queues = useMemo(
    () => all.queues.filter(({ name, queue }) => pattern.matches(name) && !(onlyWaiting && queue.waiting.length === 0)),
    [all.queues, pattern, onlyWaiting]
  );
  const agents = useMemo(() => {
    const queue = pattern.isAll ? null : pattern.matches;
    return filteredAgents(all.agents, { states: agentStates, hideUnavailable, queue });
  }, [all.agents, agentStates, hideUnavailable, pattern]);
  const calls = useMemo(() => all.calls.filter(({ name }) => pattern.matches(name)), [all.calls, pattern]);
  return { queues, agents, calls, pattern, isAnyQueue: all.queues.length > 0, isAnyAgent: all.agents.length > 0 };
}
