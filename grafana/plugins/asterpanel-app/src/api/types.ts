/** Names for what the control API's description (contract/openapi.json) has. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Me = Schemas['Me'];
export type BoardOfMine = Schemas['BoardOfMine'];
export type Grant = Schemas['Grant'];
export type Switchboards = Schemas['Switchboards'];
export type Connection = Schemas['Connection'];
export type Freshness = Schemas['Freshness'];
export type State = Schemas['State'];
export type LiveState = Schemas['LiveState'];
export type Queue = Schemas['Queue'];
export type Member = Schemas['Member'];
export type WaitingCaller = Schemas['WaitingCaller'];
export type CallInProgress = Schemas['CallInProgress'];
export type Agent = Schemas['Agent'];
export type AgentState = Agent['state'];
export type ActionResult = Schemas['ActionResult'];
export type QueuesResult = Schemas['QueuesResult'];
export type QueueResult = Schemas['QueueResult'];
export type Levels = Schemas['Levels'];
export type Right = Grant['rights'][number];

/**
 * A queue of the set that `setQueues` is given; what is left out stays as it is. (The description says "a reason
 * needs a pause" by `anyOf` and `not`, of which the generator makes `unknown`.)
 */
export interface QueueOfAgent {
  queue: string;
  /** The higher, the later he is called. */
  penalty?: number;
  paused?: boolean;
  reason?: string;
  ring_in_use?: boolean;
}

/** All queues of an agent at once. */
export interface QueuesOfAgent {
  /** Those that he is to be in. */
  queues: QueueOfAgent[];
  /** Only of these he may be taken out: what was seen when it was chosen. */
  among: string[];
}
