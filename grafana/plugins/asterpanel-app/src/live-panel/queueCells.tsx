import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import { Elapsed } from '../components/Elapsed';
import { Figure } from '../components/Figure';
import { Name } from '../components/Name';
import { useTexts } from '../i18n';
import { formatNumber, formatShare } from '../i18n/format';
import { statusOf } from '../view/levels';
import type { QueueLine, QueueRow } from '../view/queues';

/** A cell of a queue's own line. */
interface Props {
  row: QueueRow;
}

/** Makes a cell of the table's lines from one of a queue; callers have no cells. */
export function ofQueue(Cell: (props: Props) => React.ReactNode) {
  return function QueueCell({ row }: { row: QueueLine }) {
    return row.is === 'queue' ? <>{Cell({ row: row.row })}</> : null;
  };
}

export function QueueName({ row }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <span className={styles.name}>
      <Name text={row.name} />
    </span>
  );
}

/** Of a queue what has no column of its own, in a second line. */
export function QueueCard({ row }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  return (
    <span className={styles.card}>
      <QueueName row={row} />
      <span className={styles.details}>
        <span>{texts.freeShort(row.free, row.agents)}</span>
        {row.serviceLevel !== null && (
          <ServiceLevel row={row} text={texts.serviceLevelShort(formatShare(row.serviceLevel))} />
        )}
        <span>{texts.inProgressShort(row.queue.in_progress.length)}</span>
      </span>
    </span>
  );
}

export function QueueWaiting({ row: { queue } }: Props) {
  const { length } = queue.waiting;
  return <Figure status={statusOf(length, queue.levels.waiting)}>{formatNumber(length)}</Figure>;
}

export function QueueLongestWait({ row: { queue, longestSince } }: Props) {
  const { none } = useTexts().common;
  return longestSince === null ? <>{none}</> : <Elapsed since={longestSince} levels={queue.levels.longest_wait_s} />;
}

export function QueueInProgress({ row: { queue } }: Props) {
  return <>{formatNumber(queue.in_progress.length)}</>;
}

export function QueueAgents({ row: { free, agents } }: Props) {
  return (
    <>
      {formatNumber(free)}/{formatNumber(agents)}
    </>
  );
}

export function QueueServiceLevel({ row }: Props) {
  const { common, panel } = useTexts();
  return row.serviceLevel === null ? (
    <span title={panel.serviceLevelNone}>{common.none}</span>
  ) : (
    <ServiceLevel row={row} text={formatShare(row.serviceLevel)} />
  );
}

function ServiceLevel({ row, text }: Props & { text: string }) {
  return <Figure status={statusOf(row.serviceLevel, row.queue.levels.service_level)}>{text}</Figure>;
}

function getStyles(theme: GrafanaTheme2) {
  return {
    name: css({ display: 'flex', minWidth: 0, fontWeight: theme.typography.fontWeightMedium }),
    card: css({ display: 'flex', flexDirection: 'column', minWidth: 0 }),
    // What has no room in the line is left out, as the next line is out of sight
    details: css({
      display: 'flex',
      flexWrap: 'wrap',
      gap: theme.spacing(0, 1),
      maxHeight: '1.6em',
      lineHeight: 1.6,
      overflow: 'hidden',
      color: theme.colors.text.secondary,
      fontSize: '0.9em',
      fontVariantNumeric: 'tabular-nums',
    }),
  };
}
