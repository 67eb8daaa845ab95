import React, {
  createContext,
  PropsWithChildren,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';

import type { Me, WaitingCaller } from '../api/types';
import { OnlySaid } from '../components/OnlySaid';
import { useTexts } from '../i18n';
import type { Live } from '../live/useLive';
import { ActionStates, stateOf } from './ActionRunner';
import type { Answer, SettledState } from './actionState';
import { Announcement, announcementOf, Asked, showToast } from './announce';
import type { DialogProps } from './dialogProps';
import { PauseDialog } from './PauseDialog';
import { PriorityDialog } from './PriorityDialog';
import { QueuesDialog } from './QueuesDialog';
import { agentKey, callerKey } from './subjects';
import { UnpauseDialog } from './UnpauseDialog';
import { useActionRunner } from './useActionRunner';
import { WithdrawDialog } from './WithdrawDialog';

/** What buttons do: each opens the dialog that asks for the rest. */
export interface Actions {
  pause(agent: string): void;
  unpause(agent: string): void;
  editQueues(agent: string): void;
  changePriority(queue: string, caller: WaitingCaller): void;
  withdraw(queue: string, caller: WaitingCaller): void;
  /** How the action on this one stands: `agent:1001`, `caller:<uniqueid>`. */
  pendingOf(key: string): 'pending' | undefined;
}

type OpenDialog =
  | { kind: 'pause' | 'unpause' | 'queues'; switchboard: string; key: string; agent: string }
  | { kind: 'priority' | 'withdraw'; switchboard: string; key: string; queue: string; caller: WaitingCaller };

const ActionsContext = createContext<Actions | null>(null);

/** What the buttons inside an `ActionsProvider` do. */
export function useActions(): Actions {
  const actions = useContext(ActionsContext);
  if (!actions) {
    throw new Error('useActions needs an ActionsProvider around it');
  }
  return actions;
}

interface Props {
  me: Me;
  live: Live;
}

/** Gives what is inside the actions on a switchboard: their dialogs, how they stand, and news of what came of them. */
export function ActionsProvider({ me, live, children }: PropsWithChildren<Props>) {
  const { actions: texts } = useTexts();
  const { runner, states } = useActionRunner();
  const { switchboard } = live;
  const [opened, setDialog] = useDialog();
  // One that is about another switchboard's agent 1001 must not act on this one's
  const dialog = opened?.switchboard === switchboard ? opened : null;
  const [news, setNews] = useState<Announcement | null>(null);
  const shownKey = useShown(dialog?.key);
  const actions = useMemo(() => actionsOf(switchboard, setDialog, states), [switchboard, setDialog, states]);

  const close = () => {
    if (dialog) {
      runner.putAway(dialog.key);
    }
    setDialog(null);
  };
  const tell = (key: string, asked: Asked, state: SettledState) => {
    const isShown = shownKey.current === key;
    if (!isShown || state.is === 'done') {
      const announcement = announcementOf(texts, asked, state);
      setNews(announcement);
      showToast(announcement);
      runner.putAway(key);
    }
    if (isShown && state.is === 'done') {
      setDialog(null);
    }
  };
  const ask = (key: string, asked: Asked, send: () => Promise<Answer>) =>
    runner.start(key, send, (state) => tell(key, asked, state));

  return (
    <ActionsContext.Provider value={actions}>
      {children}
      {dialog && (
        <Dialog
          key={dialog.key}
          dialog={dialog}
          {...{ me, live }}
          state={stateOf(states, dialog.key)}
          onAsk={(asked, send) => ask(dialog.key, asked, send)}
          onClose={close}
        />
      )}
      <News news={news} />
    </ActionsContext.Provider>
  );
}

function actionsOf(switchboard: string, open: (dialog: OpenDialog) => void, states: ActionStates): Actions {
  const keyOn = (key: string) => `${switchboard} ${key}`;
  const ofAgent = (kind: 'pause' | 'unpause' | 'queues') => (agent: string) =>
    open({ kind, switchboard, key: keyOn(agentKey(agent)), agent });
  const ofCaller = (kind: 'priority' | 'withdraw') => (queue: string, caller: WaitingCaller) =>
    open({ kind, switchboard, key: keyOn(callerKey(caller)), queue, caller });
  return {
    pause: ofAgent('pause'),
    unpause: ofAgent('unpause'),
    editQueues: ofAgent('queues'),
    changePriority: ofCaller('priority'),
    withdraw: ofCaller('withdraw'),
    pendingOf: (key) => (stateOf(states, keyOn(key)).is === 'pending' ? 'pending' : undefined),
  };
}

function Dialog({ dialog, ...props }: DialogProps & { dialog: OpenDialog }) {
  switch (dialog.kind) {
    case 'pause':
      return <PauseDialog agent={dialog.agent} {...props} />;
    case 'unpause':
      return <UnpauseDialog agent={dialog.agent} {...props} />;
    case 'queues':
      return <QueuesDialog agent={dialog.agent} {...props} />;
    case 'priority':
      return <PriorityDialog queue={dialog.queue} caller={dialog.caller} {...props} />;
    case 'withdraw':
      return <WithdrawDialog queue={dialog.queue} caller={dialog.caller} {...props} />;
  }
}

/** What came of the last action, for who listens to the page. */
function News({ news }: { news: Announcement | null }) {
  return (
    <div aria-live="polite">
      <OnlySaid>{news && `${news.title}. ${news.text}`}</OnlySaid>
    </div>
  );
}

/** The dialog that is open. When it closes, the focus goes back to where it was. */
function useDialog(): [OpenDialog | null, (dialog: OpenDialog | null) => void] {
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const opener = useRef<Element | null>(null);
  const change = useCallback((next: OpenDialog | null) => {
    if (next) {
      opener.current = document.activeElement;
    }
    setDialog(next);
  }, []);
  useEffect(() => {
    const isLost = document.activeElement === null || document.activeElement === document.body;
    if (!dialog && isLost && opener.current instanceof HTMLElement) {
      opener.current.focus();
    }
  }, [dialog]);
  return [dialog, change];
}

/** The key of the dialog that is shown, for what settles later; none once the component is gone. */
function useShown(key: string | undefined) {
  const shown = useRef(key);
  useEffect(() => {
    shown.current = key;
    return () => {
      shown.current = undefined;
    };
  }, [key]);
  return shown;
}
