import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, Button, Modal, useStyles2 } from '@grafana/ui';
import React, { FormEvent, PropsWithChildren, RefObject, useLayoutEffect, useRef } from 'react';

import { useTexts } from '../i18n';
import { formatClock } from '../i18n/format';
import type { Live } from '../live/useLive';
import { ActionState } from './actionState';
import { Standing } from './Standing';

interface Props {
  /** What, and whom. */
  title: string;
  /** Of the primary button. */
  confirm: string;
  /** Whether it disturbs somebody. */
  isDestructive?: boolean;
  /** Whether there is nothing to ask for, or something in it is wrong. */
  isDisabled?: boolean;
  /** Whether Enter in a field is the primary button: only where nothing has to be read before. */
  enterConfirms?: boolean;
  live: Live;
  state: ActionState;
  onConfirm(): void;
  onClose(): void;
}

/**
 * A dialog that asks the switchboard for something, and shows how that stands. Closing it takes nothing back.
 */
export function ActionDialog({ children, ...props }: PropsWithChildren<Props>) {
  const styles = useStyles2(getStyles);
  const { title, live, state, onConfirm, onClose, isDisabled, enterConfirms } = props;
  const form = useRef<HTMLFormElement>(null);
  useFocusAtFirst(form);
  const isPending = state.is === 'pending';
  const isOver = state.is === 'done' || state.is === 'accepted' || state.is === 'already_so';
  const mayConfirm = !isDisabled && !isPending && !isOver;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (enterConfirms && mayConfirm) {
      onConfirm();
    }
  };
  return (
    <Modal isOpen title={title} className={styles.modal} onDismiss={onClose} closeOnBackdropClick={false}>
      <form ref={form} onSubmit={submit} noValidate>
        {!isOver && <Warnings live={live} />}
        {!isOver && (
          <fieldset disabled={isPending} className={styles.fields}>
            {children}
          </fieldset>
        )}
        <Standing state={state} />
        <Buttons {...props} isOver={isOver} mayConfirm={mayConfirm} />
      </form>
    </Modal>
  );
}

function Buttons(props: Props & { isOver: boolean; mayConfirm: boolean }) {
  const { common } = useTexts();
  const { isOver, mayConfirm, state, confirm, isDestructive, enterConfirms, onConfirm, onClose } = props;
  return (
    <Modal.ButtonRow>
      <Button type="button" variant="secondary" fill="outline" onClick={onClose}>
        {state.is === 'idle' ? common.cancel : common.close}
      </Button>
      {!isOver && (
        <Button
          type={enterConfirms ? 'submit' : 'button'}
          variant={isDestructive ? 'destructive' : 'primary'}
          disabled={!mayConfirm}
          onClick={enterConfirms ? undefined : onConfirm}
        >
          {confirm}
        </Button>
      )}
    </Modal.ButtonRow>
  );
}

/** The dialog opens at its first field, or at its primary button if it has none; not at the cross that closes it. */
function useFocusAtFirst(form: RefObject<HTMLFormElement>) {
  useLayoutEffect(() => {
    const field = form.current?.querySelector<HTMLElement>('input:not(:disabled)');
    const buttons = form.current?.querySelectorAll<HTMLElement>('button:not(:disabled)') ?? [];
    (field ?? buttons[buttons.length - 1])?.focus();
  }, [form]);
}

/** What makes it doubtful that the dialog shows the switchboard as it is. */
function Warnings({ live }: { live: Live }) {
  const { actions } = useTexts();
  if (live.document === null) {
    return <Alert severity="warning" title={actions.warnNoData} />;
  }
  if (!live.up) {
    return <Alert severity="warning" title={actions.warnDown} />;
  }
  return live.stale && live.asOf !== null ? (
    <Alert severity="warning" title={actions.warnStale(formatClock(live.asOf))} />
  ) : null;
}

const getStyles = (theme: GrafanaTheme2) => ({
  modal: css({
    width: '600px',
    // The header: a title of two lines makes it higher
    '&& > div:first-of-type': { height: 'auto', minHeight: theme.spacing(6), paddingBlock: theme.spacing(1) },
  }),
  fields: css({ border: 0, margin: 0, padding: 0, minWidth: 0 }),
});
