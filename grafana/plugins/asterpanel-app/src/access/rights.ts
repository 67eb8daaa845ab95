import type { Grant, Me, Right } from '../api/types';
import { matchesGlob } from './globs';

/** Smaller rights that are enough for who asks about the agent he is himself. */
const ON_ONESELF: Partial<Record<Right, Right>> = { see: 'see_own', pause: 'pause_self' };

const ABOUT_ONESELF: ReadonlySet<Right> = new Set(['see_own', 'pause_self']);

/** What a right is asked on: a queue, an agent, or this agent in this queue. */
export interface On {
  queue?: string;
  agent?: string;
}

/**
 * Whether a right holds, in one and the same profile, on what is named: which buttons to draw. What counts is
 * what the control API says to an action; this is its rule (`Scope.may` in access/scope.py), whose cases
 * (contract/rights_cases.json) test this one.
 */
export function may(me: Me, switchboard: string, right: Right, on: On = {}): boolean {
  if (!me.switchboards.some((board) => board.name === switchboard)) {
    return false;
  }
  return me.grants.some(
    (grant) =>
      matchesGlob(grant.switchboards, switchboard) &&
      showsAnything(grant, switchboard) &&
      gives(grant, switchboard, right, on)
  );
}

/** The agent that I am on a switchboard; "" if none. */
export function ownAgent(me: Me, switchboard: string): string {
  return me.switchboards.find((board) => board.name === switchboard)?.agent ?? '';
}

/** A profile in which there is nothing to see gives nothing. */
function showsAnything(grant: Grant, switchboard: string): boolean {
  return has(grant, 'see') || (has(grant, 'see_own') && ownOf(grant, switchboard) !== '');
}

function gives(grant: Grant, switchboard: string, asked: Right, { queue, agent }: On): boolean {
  if (queue !== undefined && !matchesGlob(grant.queues, queue)) {
    return false;
  }
  const right = has(grant, asked) || agent === undefined ? asked : (ON_ONESELF[asked] ?? asked);
  if (!has(grant, right)) {
    return false;
  }
  const own = ownOf(grant, switchboard);
  if (ABOUT_ONESELF.has(right)) {
    return own !== '' && (agent === undefined || agent === own);
  }
  return agent === undefined || agent === own || matchesGlob(grant.agents, agent);
}

function has(grant: Grant, right: Right): boolean {
  return grant.rights.includes(right);
}

/** The agent that the grant says I am there. */
function ownOf(grant: Grant, switchboard: string): string {
  return grant.own[switchboard] || grant.own['*'] || '';
}
