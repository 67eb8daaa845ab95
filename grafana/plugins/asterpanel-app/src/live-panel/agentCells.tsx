import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import { AgentStateBadge } from '../components/AgentStateBadge';
import { Elapsed } from '../components/Elapsed';
import { Name } from '../components/Name';
import { useTexts } from '../i18n';
import { listed } from '../i18n/isolated';
import { formatNumber } from '../i18n/format';
import type { AgentRow } from '../view/agents';
import { usePanelView } from './PanelView';

interface Props {
  row: AgentRow;
}

/** Name and id. */
export function AgentName({ row }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <span className={styles.line}>
      <Name text={row.name} />
      {row.name !== row.key && <span className={styles.minor}>{row.key}</span>}
    </span>
  );
}

/** All about an agent in two lines, where there is no room for columns. */
export function AgentCard({ row }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <span className={styles.card}>
      <AgentName row={row} />
      <span className={styles.line}>
        <AgentState row={row} />
        <AgentTime row={row} />
        <span className={styles.first}>
          <AgentPause row={row} />
        </span>
      </span>
    </span>
  );
}

export function AgentState({ row }: Props) {
  return <AgentStateBadge state={row.agent.state} paused={row.agent.paused} />;
}

export function AgentTime({ row }: Props) {
  return <Elapsed since={row.agent.since} />;
}

/** Why he is paused and for how long; or in which queues, if not in all. */
export function AgentPause({ row }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  const levels = usePanelView().me.levels.agent_pause_s;
  const { paused, pause_reason: reason, paused_since: since } = row.agent;
  if (!paused) {
    return row.pausedIn.length === 0 ? null : <Name text={texts.pausedIn(listed(row.pausedIn))} />;
  }
  return (
    <span className={styles.line}>
      <Name text={reason || texts.noReason} />
      {since !== undefined && <Elapsed since={since} levels={levels} />}
    </span>
  );
}

export function AgentQueues({ row }: Props) {
  return <Name text={listed(row.agent.queues)} />;
}

export function AgentAnswered({ row }: Props) {
  const { common, panel } = useTexts();
  const { today } = row.agent;
  return today ? (
    <span title={panel.answeredToday(today.answered)}>{formatNumber(today.answered)}</span>
  ) : (
    <>{common.none}</>
  );
}

function getStyles(theme: GrafanaTheme2) {
  return {
    // Words give way, timers do not
    line: css({
      display: 'flex',
      alignItems: 'center',
      gap: theme.spacing(1),
      minWidth: 0,
      '& > [role=timer]': { flexShrink: 0 },
    }),
    // What gives way before all else
    first: css({ display: 'flex', flexShrink: 1000, minWidth: 0 }),
    card: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.25), minWidth: 0 }),
    minor: css({
      flexShrink: 0,
      color: theme.colors.text.secondary,
      fontSize: '0.9em',
      fontVariantNumeric: 'tabular-nums',
    }),
  };
}
