import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, Checkbox, useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';

import { controlApi } from '../api/ControlApi';
import type { Member } from '../api/types';
import { useTexts } from '../i18n';
import { isolated, listed } from '../i18n/isolated';
import { ActionDialog } from './ActionDialog';
import { MAX_REASON_BYTES, problemOfText } from './actionText';
import type { AgentDialogProps } from './dialogProps';
import { RadioChoice } from './RadioChoice';
import { agentName, pausableMemberships, pausablePart } from './subjects';
import { SwitchboardText } from './SwitchboardText';

/** Asks for a reason, and in which queues; then pauses the agent. */
export function PauseDialog({ agent, me, live, state, onAsk, onClose }: AgentDialogProps) {
  const { actions } = useTexts();
  const [typed, setReason] = useState(me.pause_reasons.length === 1 ? me.pause_reasons[0] : '');
  const [onlyIn, setOnlyIn] = useState<ReadonlySet<string> | null>(null);
  const memberships = pausableMemberships(me, live.document, agent);
  const part = pausablePart(me, live.document, agent);
  const queues = onlyIn && Array.from(memberships.keys()).filter((queue) => onlyIn.has(queue));
  const name = agentName(live.document, agent);
  const reason = typed.trim();
  const missing = whatIsMissing(me.pause_reasons, reason, queues);
  const confirm = () =>
    onAsk(
      { what: actions.pause.title(name), done: actions.pause.done(name, reason, listed(queues ?? part ?? [])) },
      () => controlApi().pause(live.switchboard, agent, queues ? { reason, queues } : { reason })
    );
  return (
    <ActionDialog
      title={actions.pause.title(name)}
      confirm={actions.pause.confirm}
      isDisabled={memberships.size === 0 || missing !== null || problemOfText(reason, MAX_REASON_BYTES) !== null}
      enterConfirms
      {...{ live, state, onClose }}
      onConfirm={confirm}
    >
      <ReasonChoice reasons={me.pause_reasons} value={typed} onChange={setReason} />
      {memberships.size > 0 ? (
        <QueueChoice memberships={memberships} isPart={part !== null} onlyIn={onlyIn} onChange={setOnlyIn} />
      ) : (
        <Alert severity="warning" title={actions.agentGone} />
      )}
      {missing && <p>{actions.pause[missing]}</p>}
    </ActionDialog>
  );
}

/** What has to be chosen before the pause can be asked for. */
function whatIsMissing(
  reasons: string[],
  reason: string,
  queues: string[] | null
): 'chooseReason' | 'chooseQueue' | null {
  if (reasons.length > 0 && !reason) {
    return 'chooseReason';
  }
  return queues?.length === 0 ? 'chooseQueue' : null;
}

interface ReasonProps {
  /** Those that are configured; empty: any text. */
  reasons: string[];
  value: string;
  onChange(reason: string): void;
}

function ReasonChoice({ reasons, value, onChange }: ReasonProps) {
  const { actions } = useTexts();
  if (reasons.length === 0) {
    return (
      <SwitchboardText
        label={actions.pause.reason}
        description={actions.pause.reasonOptional}
        mostBytes={MAX_REASON_BYTES}
        {...{ value, onChange }}
      />
    );
  }
  return (
    <RadioChoice
      legend={actions.pause.reason}
      options={reasons.map((reason) => ({ label: isolated(reason), value: reason }))}
      {...{ value, onChange }}
    />
  );
}

interface QueueProps {
  memberships: ReadonlyMap<string, Member>;
  /** Whether the agent has more, where one may not pause him. */
  isPart: boolean;
  /** null: in all. */
  onlyIn: ReadonlySet<string> | null;
  onChange(onlyIn: ReadonlySet<string> | null): void;
}

function QueueChoice({ memberships, isPart, onlyIn, onChange }: QueueProps) {
  const { actions } = useTexts();
  const styles = useStyles2(getStyles);
  const { pause } = actions;
  const toggle = (queue: string, isChosen: boolean) => {
    const chosen = new Set(onlyIn);
    if (isChosen) {
      chosen.add(queue);
    } else {
      chosen.delete(queue);
    }
    onChange(chosen);
  };
  return (
    <>
      <RadioChoice
        legend={pause.where}
        options={[
          { label: isPart ? pause.inAllAllowed : pause.inAll, value: 'all' },
          { label: pause.inSome, value: 'some' },
        ]}
        value={onlyIn ? 'some' : 'all'}
        onChange={(value) => onChange(value === 'all' ? null : new Set())}
      />
      {onlyIn && (
        <div role="group" aria-label={pause.inSome} className={styles.queues}>
          {Array.from(memberships, ([queue, member]) => (
            <div key={queue} className={styles.queue}>
              <Checkbox
                label={isolated(queue)}
                value={onlyIn.has(queue)}
                onChange={(event) => toggle(queue, event.currentTarget.checked)}
              />
              {member.paused && <span className={styles.note}>{pause.pausedHere}</span>}
            </div>
          ))}
        </div>
      )}
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  queues: css({
    display: 'grid',
    gap: theme.spacing(1),
    maxHeight: '30vh',
    overflowY: 'auto',
    padding: theme.spacing(0, 0, 1, 3),
  }),
  queue: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0, 1) }),
  note: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
});
