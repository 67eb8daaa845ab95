import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import { may } from '../access/rights';
import { useActions } from '../actions/ActionsProvider';
import { agentKey } from '../actions/subjects';
import { RowButton } from '../components/RowButton';
import { useTexts } from '../i18n';
import type { AgentRow } from '../view/agents';
import { usePanelView } from './PanelView';

interface Props {
  row: AgentRow;
}

/** What one may do with an agent, as icons. */
export function AgentActions({ row }: Props) {
  return <Buttons row={row} isRoomy={false} />;
}

/** The same, with words. */
export function AgentActionsInWords({ row }: Props) {
  return <Buttons row={row} isRoomy />;
}

function Buttons({ row, isRoomy }: Props & { isRoomy: boolean }) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  const actions = useActions();
  const { me, switchboard } = usePanelView();
  const { key: agent, name } = row;
  const mayPause = row.agent.queues.some((queue) => may(me, switchboard, 'pause', { queue, agent }));
  const isPending = actions.pendingOf(agentKey(agent)) === 'pending';
  const words = (text: string) => (isRoomy ? text : undefined);
  return (
    <span className={styles.buttons}>
      {mayPause && !row.agent.paused && (
        <RowButton
          icon="pause"
          label={texts.pauseAgent(name)}
          text={words(texts.pause)}
          isPending={isPending}
          onClick={() => actions.pause(agent)}
        />
      )}
      {mayPause && (row.agent.paused || row.pausedIn.length > 0) && (
        <RowButton
          icon="play"
          label={texts.endPauseOf(name)}
          text={words(texts.endPause)}
          isPending={isPending}
          onClick={() => actions.unpause(agent)}
        />
      )}
      {may(me, switchboard, 'edit_members', { agent }) && (
        <RowButton
          icon="list-ul"
          label={texts.changeQueuesOf(name)}
          text={words(texts.queues)}
          isPending={isPending}
          onClick={() => actions.editQueues(agent)}
        />
      )}
    </span>
  );
}

function getStyles(theme: GrafanaTheme2) {
  return { buttons: css({ display: 'flex', flex: 1, justifyContent: 'flex-end', gap: theme.spacing(0.5) }) };
}
