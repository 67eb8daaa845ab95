import type { Me, WaitingCaller } from '../api/types';
import type { Live } from '../live/useLive';
import type { ActionState, Answer } from './actionState';
import type { Asked } from './announce';

/** What every dialog that asks the switchboard for something is given. */
export interface DialogProps {
  me: Me;
  live: Live;
  /** How what was asked for stands. */
  state: ActionState;
  /** Ask the switchboard; heard once, however often it is called while that is pending. */
  onAsk(asked: Asked, ask: () => Promise<Answer>): void;
  onClose(): void;
}

/** A dialog about an agent. */
export interface AgentDialogProps extends DialogProps {
  /** His id. */
  agent: string;
}

/** A dialog about a waiting caller. */
export interface CallerDialogProps extends DialogProps {
  queue: string;
  /** As he was when the dialog opened. */
  caller: WaitingCaller;
}
