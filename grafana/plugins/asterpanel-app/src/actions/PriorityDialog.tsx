import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, Checkbox, Field, Input, useStyles2 } from '@grafana/ui';
import React, { useId, useState } from 'react';

import { controlApi } from '../api/ControlApi';
import type { WaitingCaller } from '../api/types';
import { Texts, useTexts } from '../i18n';
import { ActionDialog } from './ActionDialog';
import type { CallerDialogProps } from './dialogProps';
import { callerNumber, waitingCaller } from './subjects';
import { MAX_NUMBER, wholeNumber } from './wholeNumber';

/** Asks for a waiting caller's new priority, and gives it to him. */
export function PriorityDialog({ queue, caller, live, state, onAsk, onClose }: CallerDialogProps) {
  const { actions } = useTexts();
  const texts = actions.priority;
  const styles = useStyles2(getStyles);
  const id = useId();
  const [typed, setTyped] = useState(caller.priority === undefined ? '' : String(caller.priority));
  const [immediate, setImmediate] = useState(true);
  const number = callerNumber(actions, caller);
  const waiting = waitingCaller(live.document, queue, caller);
  const priority = wholeNumber(typed, -MAX_NUMBER);
  const isUnchanged = priority !== null && priority === waiting?.priority;
  const confirm = () => {
    if (priority !== null && caller.uniqueid !== undefined) {
      const { uniqueid } = caller;
      onAsk({ what: texts.title(number, queue), done: texts.done(number, queue) }, () =>
        controlApi().changePriority(live.switchboard, queue, uniqueid, { priority, immediate })
      );
    }
  };
  return (
    <ActionDialog
      title={texts.title(number, queue)}
      confirm={texts.confirm}
      isDisabled={!waiting || priority === null || isUnchanged}
      enterConfirms
      {...{ live, state, onClose }}
      onConfirm={confirm}
    >
      {!waiting && state.is !== 'pending' && <Alert severity="warning" title={actions.callerGone(queue)} />}
      {waiting && <p>{nowWords(texts, waiting)}</p>}
      <Field
        label={texts.priority}
        description={texts.help}
        invalid={typed !== '' && priority === null}
        error={texts.invalid}
      >
        <Input
          id={id}
          type="number"
          step={1}
          width={20}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </Field>
      <Checkbox
        label={texts.immediate}
        description={texts.immediateHelp}
        value={immediate}
        onChange={(event) => setImmediate(event.currentTarget.checked)}
      />
      {isUnchanged && state.is !== 'pending' && <p className={styles.note}>{texts.unchanged}</p>}
    </ActionDialog>
  );
}

function nowWords(texts: Texts['actions']['priority'], { priority, position }: WaitingCaller): string {
  return priority === undefined ? texts.nowUnknown(position) : texts.now(priority, position);
}

const getStyles = (theme: GrafanaTheme2) => ({
  note: css({ margin: theme.spacing(2, 0, 0) }),
});
