import type { Member, Queue } from '../api/types';

/** The agent that a membership is of; its key, but of his second interface in the same queue. */
export function agentOfMember(key: string, member: Member): string {
  return member.agent ?? key;
}

/** The agent's memberships of a queue: one, but one for each interface if he has several there. */
export function membershipsOfAgent(queue: Queue | undefined, agent: string): Member[] {
  return Object.entries(queue?.members ?? {})
    .filter(([key, member]) => agentOfMember(key, member) === agent)
    .map(([, member]) => member);
}
