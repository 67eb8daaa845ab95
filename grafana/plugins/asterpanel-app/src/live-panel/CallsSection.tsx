import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { useCallback, useMemo } from 'react';

import { useMeasures } from '../components/density';
import { Elapsed } from '../components/Elapsed';
import { Name } from '../components/Name';
import { Column, VirtualTable } from '../components/VirtualTable';
import { Texts, useTexts } from '../i18n';
import { CALL_FIGURES, CallOrder, CallRow } from '../view/calls';
import type { Sort } from '../view/sorting';
import { Nothing } from './Nothing';
import type { SectionProps } from './SectionProps';
import { useSortedRows } from './useSortedRows';

const LONGEST_FIRST: Sort<CallOrder> = { by: 'time', direction: 'descending' };

/** The table of calls in progress. */
export function CallsSection({ rows, typed, onClear }: SectionProps<CallRow>) {
  const texts = useTexts();
  const measures = useMeasures();
  const { shown, ...sorting } = useSortedRows(rows, typed, CALL_FIGURES, () => LONGEST_FIRST);
  const columns = useMemo(() => callColumns(texts, measures.scale), [texts, measures.scale]);
  const heightOf = useCallback(() => measures.line, [measures]);
  return (
    <VirtualTable
      label={texts.panel.sections.calls}
      columns={columns}
      rows={shown}
      heightOf={heightOf}
      {...sorting}
      empty={<Nothing because={texts.panel.nobodyTalks} typed={rows.length > 0 ? typed : ''} onClear={onClear} />}
    />
  );
}

function callColumns({ panel }: Texts, scale: number): ReadonlyArray<Column<CallRow, CallOrder>> {
  const titles = panel.callColumns;
  return [
    { id: 'queue', title: titles.queue, track: 'minmax(0, 1fr)', by: 'queue', Cell: CallQueue },
    { id: 'agent', title: titles.agent, track: 'minmax(0, 1fr)', Cell: CallAgent },
    {
      id: 'time',
      title: titles.time,
      track: `${Math.round(104 * scale)}px`,
      by: 'time',
      first: 'descending',
      isNumeric: true,
      Cell: CallTime,
    },
  ];
}

function CallQueue({ row }: { row: CallRow }) {
  return <Name text={row.name} />;
}

function CallAgent({ row }: { row: CallRow }) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  return row.agentName === '' ? (
    <span className={styles.minor}>{texts.agentOutOfSight}</span>
  ) : (
    <Name text={row.agentName} />
  );
}

function CallTime({ row }: { row: CallRow }) {
  return <Elapsed since={row.call.since} />;
}

function getStyles(theme: GrafanaTheme2) {
  return { minor: css({ color: theme.colors.text.secondary }) };
}
