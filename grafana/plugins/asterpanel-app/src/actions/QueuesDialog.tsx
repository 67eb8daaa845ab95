import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, Button, useStyles2 } from '@grafana/ui';
import React, { useMemo, useState } from 'react';

import { controlApi } from '../api/ControlApi';
import { Texts, useTexts } from '../i18n';
import { listed } from '../i18n/isolated';
import { ActionDialog } from './ActionDialog';
import type { AgentDialogProps } from './dialogProps';
import {
  editableQueues,
  MembershipChange,
  membershipChanges,
  membershipsOf,
  penaltiesOf,
  queuesRequest,
} from './membershipChanges';
import { changedMeanwhile, choiceOf, keepMine, takeOver, wantedOf } from './queueChoice';
import { QueueList } from './QueueList';
import { agentName } from './subjects';

/** All queues of an agent at once, with his penalties; shows what will change before it is asked for. */
export function QueuesDialog({ agent, me, live, state, onAsk, onClose }: AgentDialogProps) {
  const { actions } = useTexts();
  const texts = actions.queues;
  const { document } = live;
  const queues = useMemo(() => (document ? editableQueues(me, document, agent) : []), [me, document, agent]);
  const memberships = useMemo(
    () => (document ? membershipsOf(document, agent, queues) : new Map()),
    [document, agent, queues]
  );
  const now = useMemo(() => penaltiesOf(memberships), [memberships]);
  const [choice, setChoice] = useState(() => choiceOf(now));
  const { wanted, invalid } = wantedOf(choice, queues);
  const changes = membershipChanges(now, wanted).filter(({ queue }) => !invalid.includes(queue));
  const meanwhile = state.is === 'pending' ? [] : changedMeanwhile(choice, now, queues);
  const name = agentName(document, agent);
  const confirm = () =>
    onAsk({ what: texts.title(name), done: texts.done(name) }, () =>
      controlApi().setQueues(live.switchboard, agent, queuesRequest(now, wanted))
    );
  return (
    <ActionDialog
      title={texts.title(name)}
      confirm={changes.length > 0 ? texts.confirm(changes.length) : texts.nothing}
      isDisabled={changes.length === 0 || invalid.length > 0 || meanwhile.length > 0}
      {...{ live, state, onClose }}
      onConfirm={confirm}
    >
      {meanwhile.length > 0 && (
        <Meanwhile
          queues={meanwhile}
          onTakeOver={() => setChoice(takeOver(choice, now, queues))}
          onKeep={() => setChoice(keepMine(choice, now))}
        />
      )}
      <QueueList {...{ queues, memberships, choice }} onChange={setChoice} />
      <Changes changes={changes} />
      {wanted.size === 0 && now.size > 0 && <p>{texts.leavesAll}</p>}
    </ActionDialog>
  );
}

/** Says that others have changed the same, and asks what shall hold. */
function Meanwhile(props: { queues: string[]; onTakeOver(): void; onKeep(): void }) {
  const texts = useTexts().actions.queues;
  const styles = useStyles2(getStyles);
  return (
    <Alert severity="warning" title={texts.meanwhile}>
      <p>{texts.meanwhileBody(listed(props.queues))}</p>
      <div className={styles.buttons}>
        <Button type="button" size="sm" onClick={props.onTakeOver}>
          {texts.takeOver}
        </Button>
        <Button type="button" size="sm" variant="secondary" onClick={props.onKeep}>
          {texts.keepMine}
        </Button>
      </div>
    </Alert>
  );
}

/** What will change, told also while it is being chosen. */
function Changes({ changes }: { changes: MembershipChange[] }) {
  const texts = useTexts().actions.queues;
  const styles = useStyles2(getStyles);
  return (
    <div aria-live="polite" className={styles.changes}>
      <strong>{texts.changes}</strong>
      {changes.length === 0 && <p className={styles.none}>{texts.noChanges}</p>}
      <ul aria-label={texts.changes} className={styles.list}>
        {changes.map((change) => (
          <li key={change.queue}>{changeWords(texts, change)}</li>
        ))}
      </ul>
    </div>
  );
}

function changeWords(texts: Texts['actions']['queues'], change: MembershipChange): string {
  switch (change.change) {
    case 'joins':
      return texts.joins(change.queue, change.penalty);
    case 'leaves':
      return texts.leaves(change.queue);
    case 'penalty':
      return texts.penaltyChanges(change.queue, change.from, change.to);
  }
}

const getStyles = (theme: GrafanaTheme2) => ({
  buttons: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
  changes: css({ marginTop: theme.spacing(2) }),
  none: css({ margin: 0, color: theme.colors.text.secondary }),
  list: css({
    margin: theme.spacing(0.5, 0, 0, 2),
    maxHeight: '20vh',
    overflowY: 'auto',
    overflowWrap: 'anywhere',
  }),
});
