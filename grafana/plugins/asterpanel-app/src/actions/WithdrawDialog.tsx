import { Alert } from '@grafana/ui';
import React, { useState } from 'react';

import { controlApi } from '../api/ControlApi';
import { useTexts } from '../i18n';
import { ActionDialog } from './ActionDialog';
import { MAX_INFO_BYTES, problemOfText } from './actionText';
import type { CallerDialogProps } from './dialogProps';
import { callerNumber, waitingCaller } from './subjects';
import { SwitchboardText } from './SwitchboardText';

/** Asks once more, then sends a waiting caller on, behind the queue. */
export function WithdrawDialog({ queue, caller, live, state, onAsk, onClose }: CallerDialogProps) {
  const { actions } = useTexts();
  const texts = actions.withdraw;
  const [typed, setTyped] = useState('');
  const number = callerNumber(actions, caller);
  const isWaiting = waitingCaller(live.document, queue, caller) !== undefined;
  const info = typed.trim();
  const confirm = () => {
    if (caller.uniqueid !== undefined) {
      const { uniqueid } = caller;
      onAsk({ what: texts.title(number, queue), done: texts.done(number, queue) }, () =>
        controlApi().withdraw(live.switchboard, queue, uniqueid, { info })
      );
    }
  };
  return (
    <ActionDialog
      title={texts.title(number, queue)}
      confirm={texts.confirm}
      isDestructive
      isDisabled={!isWaiting || problemOfText(info, MAX_INFO_BYTES) !== null}
      {...{ live, state, onClose }}
      onConfirm={confirm}
    >
      {!isWaiting && state.is !== 'pending' && <Alert severity="warning" title={actions.callerGone(queue)} />}
      <p>{texts.body}</p>
      <SwitchboardText
        label={texts.info}
        description={texts.infoHelp}
        value={typed}
        mostBytes={MAX_INFO_BYTES}
        onChange={setTyped}
      />
    </ActionDialog>
  );
}
