import { may } from '../access/rights';
import type { LiveState, Me, QueuesOfAgent } from '../api/types';
import { membershipsOfAgent } from '../view/members';
import { ownValue } from '../view/records';
import { queuesByName } from './subjects';

/** An agent's membership of one queue. */
export interface Membership {
  /** The higher, the later he is called. */
  penalty: number;
  /** Whether he can be taken out; if not, the switchboard's configuration has him. */
  dynamic: boolean;
}

/** Queues that an agent is a member of, or is to be, with his penalty in each. */
export type Penalties = ReadonlyMap<string, number>;

/** What is to happen to an agent in one queue. */
export type MembershipChange =
  | { queue: string; change: 'joins'; penalty: number }
  | { queue: string; change: 'leaves' }
  | { queue: string; change: 'penalty'; from: number; to: number };

/** Names of the queues in sight to which I may add this agent, or from which I may take him, by name. */
export function editableQueues(me: Me, document: LiveState, agent: string): string[] {
  return queuesByName(document).filter((queue) => may(me, document.switchboard, 'edit_members', { queue, agent }));
}

/**
 * The agent's memberships in these queues. Where he has two interfaces in one queue, both are one membership,
 * which is fixed if either is.
 */
export function membershipsOf(document: LiveState, agent: string, queues: string[]): Map<string, Membership> {
  const found = new Map<string, Membership>();
  for (const queue of queues) {
    const own = membershipsOfAgent(ownValue(document.queues, queue), agent);
    if (own.length > 0) {
      found.set(queue, { penalty: own[0].penalty, dynamic: own.every((member) => member.dynamic) });
    }
  }
  return found;
}

/** The penalties alone. */
export function penaltiesOf(memberships: ReadonlyMap<string, Membership>): Map<string, number> {
  return new Map(Array.from(memberships, ([queue, { penalty }]) => [queue, penalty]));
}

/** What has to change for `now` to become `wanted`: first who joins, then penalties, then who leaves. */
export function membershipChanges(now: Penalties, wanted: Penalties): MembershipChange[] {
  const joins: MembershipChange[] = [];
  const changes: MembershipChange[] = [];
  for (const [queue, penalty] of wanted) {
    const from = now.get(queue);
    if (from === undefined) {
      joins.push({ queue, change: 'joins', penalty });
    } else if (from !== penalty) {
      changes.push({ queue, change: 'penalty', from, to: penalty });
    }
  }
  const leaves = Array.from(now.keys())
    .filter((queue) => !wanted.has(queue))
    .map((queue): MembershipChange => ({ queue, change: 'leaves' }));
  return [...joins, ...changes, ...leaves];
}

/**
 * The request that makes `now` become `wanted`: every queue that he is to be in, of those where the right holds; he
 * leaves none but those that were seen. A penalty that stays is left out, as are pause and ring in use: the
 * switchboard leaves them as they are.
 */
export function queuesRequest(now: Penalties, wanted: Penalties): QueuesOfAgent {
  return {
    queues: Array.from(wanted, ([queue, penalty]) => (now.get(queue) === penalty ? { queue } : { queue, penalty })),
    among: Array.from(new Set([...now.keys(), ...wanted.keys()])),
  };
}

/**
 * Queues in which somebody else changed the agent's membership: it is neither as it was when the choice began, nor
 * as it is wanted.
 */
export function foreignChanges(base: Penalties, now: Penalties, wanted: Penalties): string[] {
  const queues = new Set([...base.keys(), ...now.keys()]);
  return Array.from(queues).filter(
    (queue) => now.get(queue) !== base.get(queue) && now.get(queue) !== wanted.get(queue)
  );
}

/** What is wanted, but in these queues as it is now. */
export function takenOver(wanted: Penalties, now: Penalties, queues: string[]): Map<string, number> {
  const merged = new Map(wanted);
  for (const queue of queues) {
    const penalty = now.get(queue);
    if (penalty === undefined) {
      merged.delete(queue);
    } else {
      merged.set(queue, penalty);
    }
  }
  return merged;
}
