import { may } from '../access/rights';
import type { LiveState, Me, Member, WaitingCaller } from '../api/types';
import { currentLanguage, Texts } from '../i18n';
import { membershipsOfAgent } from '../view/members';
import { ownValue } from '../view/records';
import { nameCollator } from '../view/sorting';

/** By it, all that is done to this agent is one after the other. */
export function agentKey(agent: string): string {
  return `agent:${agent}`;
}

/** By it, all that is done to this caller is one after the other. */
export function callerKey(caller: WaitingCaller): string {
  return `caller:${caller.uniqueid}`;
}

/** The agent's name, or his id while nothing else is known. */
export function agentName(document: LiveState | null, agent: string): string {
  return (document && ownValue(document.agents, agent)?.name) || agent;
}

/** The caller's number, as far as it may be read. */
export function callerNumber(texts: Texts['actions'], caller: WaitingCaller): string {
  return caller.caller || texts.unknownNumber;
}

/** The caller as he waits in the queue now; undefined if he does no more. */
export function waitingCaller(
  document: LiveState | null,
  queue: string,
  { uniqueid }: WaitingCaller
): WaitingCaller | undefined {
  return (document ? ownValue(document.queues, queue) : undefined)?.waiting.find(
    (caller) => caller.uniqueid === uniqueid
  );
}

/** Names of the queues in sight, in the order in which people look for them. */
export function queuesByName(document: LiveState | null): string[] {
  return Object.keys(document?.queues ?? {}).sort(nameCollator(currentLanguage()).compare);
}

/** The agent's memberships by queue, of the queues in sight; the first, if he has two interfaces in one queue. */
export function membershipsIn(document: LiveState | null, agent: string): Map<string, Member> {
  const found = new Map<string, Member>();
  for (const queue of queuesByName(document)) {
    const [own] = membershipsOfAgent(document?.queues[queue], agent);
    if (own) {
      found.set(queue, own);
    }
  }
  return found;
}

/** Those of them where I may pause him, and end it. */
export function pausableMemberships(me: Me, document: LiveState | null, agent: string): Map<string, Member> {
  const all = membershipsIn(document, agent);
  return new Map(
    Array.from(all).filter(([queue]) => document && may(me, document.switchboard, 'pause', { queue, agent }))
  );
}

/**
 * The queues that a pause in "all" queues, or its end, is about, where that is not all that the agent has: the right
 * holds only there. null: it is about all that are in sight.
 */
export function pausablePart(me: Me, document: LiveState | null, agent: string): string[] | null {
  const pausable = pausableMemberships(me, document, agent);
  return pausable.size < membershipsIn(document, agent).size ? Array.from(pausable.keys()) : null;
}
