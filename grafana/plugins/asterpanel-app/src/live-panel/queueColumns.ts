import type { Measures } from '../components/density';
import type { Column } from '../components/VirtualTable';
import type { Texts } from '../i18n';
import type { QueueLine, QueueOrder } from '../view/queues';
import type { Options } from './options';
import {
  ofQueue,
  QueueAgents,
  QueueCard,
  QueueInProgress,
  QueueLongestWait,
  QueueName,
  QueueServiceLevel,
  QueueWaiting,
} from './queueCells';

type QueueTableColumn = Column<QueueLine, QueueOrder>;

/** Below this, a queue is told in two lines. Pixels of Grafana's own font size. */
const CARD_BELOW = 540;

const CELLS = {
  name: ofQueue(QueueName),
  card: ofQueue(QueueCard),
  waiting: ofQueue(QueueWaiting),
  longestWait: ofQueue(QueueLongestWait),
  inProgress: ofQueue(QueueInProgress),
  agents: ofQueue(QueueAgents),
  serviceLevel: ofQueue(QueueServiceLevel),
};

/** Whether queues are told in two lines each in a table of this width. */
export function areCards(width: number, { scale }: Measures): boolean {
  return width / scale < CARD_BELOW;
}

/** The columns of a table of queues, as far as there is room for them. */
export function queueColumns(
  { panel: { queueColumns: titles } }: Texts,
  { queueColumns: chosen, showServiceLevel }: Pick<Options, 'queueColumns' | 'showServiceLevel'>,
  width: number,
  measures: Measures
): readonly QueueTableColumn[] {
  const isCard = areCards(width, measures);
  const figure = (id: keyof typeof CELLS & keyof typeof titles, by: QueueOrder, pixels: number): QueueTableColumn => ({
    id,
    title: titles[id],
    track: `${Math.round(pixels * measures.scale)}px`,
    by,
    first: 'descending',
    isNumeric: true,
    Cell: CELLS[id],
  });
  const always: QueueTableColumn[] = [
    {
      id: 'name',
      title: titles.name,
      track: 'minmax(0, 1fr)',
      by: 'name',
      Cell: isCard ? CELLS.card : CELLS.name,
    },
    figure('waiting', 'waiting', isCard ? 58 : 68),
    figure('longestWait', 'longest_wait', isCard ? 72 : 80),
  ];
  const optional = [
    ...(chosen.includes('in_progress') ? [figure('inProgress', 'in_progress', 76)] : []),
    ...(chosen.includes('agents') ? [figure('agents', 'agents', 76)] : []),
    ...(showServiceLevel ? [{ ...figure('serviceLevel', 'service_level', 80), first: 'ascending' as const }] : []),
  ];
  return isCard ? always : [...always, ...optional];
}
