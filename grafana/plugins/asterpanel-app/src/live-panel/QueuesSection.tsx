import React, { useCallback, useMemo } from 'react';

import { useMeasures } from '../components/density';
import { VirtualTable } from '../components/VirtualTable';
import { useTexts } from '../i18n';
import { linesOf, QUEUE_FIGURES, QueueLine, QueueOrder, QueueRow } from '../view/queues';
import type { Sort } from '../view/sorting';
import { CallerCardCell, CallerLineCell } from './callerCells';
import { Nothing } from './Nothing';
import type { Options } from './options';
import { areCards, queueColumns } from './queueColumns';
import type { SectionProps } from './SectionProps';
import { useSortedRows } from './useSortedRows';

/** The table of queues, each with those who wait in it. */
export function QueuesSection({ rows, isAny, options, width, typed, onClear }: SectionProps<QueueRow>) {
  const texts = useTexts();
  const measures = useMeasures();
  const { shown, ...sorting } = useSortedRows(rows, typed, QUEUE_FIGURES, () => firstSort(options));
  const lines = useMemo(() => linesOf(shown, options.showCallers), [shown, options.showCallers]);
  const columns = useMemo(() => queueColumns(texts, options, width, measures), [texts, options, width, measures]);
  const isCard = areCards(width, measures);
  const height = isCard ? measures.card : measures.line;
  const heightOf = useCallback(() => height, [height]);
  return (
    <VirtualTable
      label={texts.panel.sections.queues}
      columns={columns}
      rows={lines}
      heightOf={heightOf}
      wholeOf={isCard ? cardOf : lineOf}
      {...sorting}
      empty={
        <Nothing because={reason(texts.panel, isAny, options)} typed={rows.length > 0 ? typed : ''} onClear={onClear} />
      }
    />
  );
}

function CallerAsLine({ row }: { row: QueueLine }) {
  return row.is === 'caller' ? <CallerLineCell row={row} /> : null;
}

function CallerAsCard({ row }: { row: QueueLine }) {
  return row.is === 'caller' ? <CallerCardCell row={row} /> : null;
}

function lineOf({ is }: QueueLine) {
  return is === 'caller' ? CallerAsLine : null;
}

function cardOf({ is }: QueueLine) {
  return is === 'caller' ? CallerAsCard : null;
}

function reason(
  texts: { noQueues: string; noQueuePasses: string; nobodyWaits: string },
  isAny: boolean,
  { onlyWaiting }: Options
): string {
  if (!isAny) {
    return texts.noQueues;
  }
  return onlyWaiting ? texts.nobodyWaits : texts.noQueuePasses;
}

function firstSort({ queueOrder }: Options): Sort<QueueOrder> {
  return { by: queueOrder, direction: queueOrder === 'name' ? 'ascending' : 'descending' };
}
