import { may } from '../access/rights';
import type { Measures } from '../components/density';
import type { Column } from '../components/VirtualTable';
import type { Texts } from '../i18n';
import type { AgentOrder, AgentRow } from '../view/agents';
import { AgentActions, AgentActionsInWords } from './AgentActions';
import { AgentAnswered, AgentCard, AgentName, AgentPause, AgentQueues, AgentState, AgentTime } from './agentCells';
import type { AgentColumn } from './options';
import type { PanelView } from './PanelView';

type AgentTableColumn = Column<AgentRow, AgentOrder>;

/** Below this, an agent is told in two lines. Pixels, as all widths here, of Grafana's own font size. */
const CARD_BELOW = 520;
const STATE_ROOMY_FROM = 860;
/** What all the other columns take. */
const WITHOUT_BUTTONS = 790;
/** A button with words, and the gap between buttons. */
const WORDS_PX = 126;
const GAP_PX = 4;
/** From which width of the table on there is room for a column. */
const ROOM: Record<AgentColumn, number> = { pause: 560, queues: 760, answered: 860 };

/** Whether agents are told in two lines each in a table of this width. */
export function areCards(width: number, { scale }: Measures): boolean {
  return width / scale < CARD_BELOW;
}

/** The columns of a table of agents, as far as there is room for them and rights for the buttons. */
export function agentColumns(
  { panel: { agentColumns: titles } }: Texts,
  chosen: readonly AgentColumn[],
  width: number,
  measures: Measures,
  buttons: number
): readonly AgentTableColumn[] {
  const room = width / measures.scale;
  const px = (pixels: number) => `${Math.round(pixels * measures.scale)}px`;
  const name = { id: 'name', title: titles.name, by: 'name' } as const;
  const actions = buttons === 0 ? [] : [actionsColumn(titles.actions, room, measures, buttons)];
  if (room < CARD_BELOW) {
    const card: AgentTableColumn = { ...name, track: 'minmax(0, 1fr)', Cell: AgentCard };
    return [card, ...actions];
  }
  const optional: Record<AgentColumn, AgentTableColumn> = {
    pause: { id: 'pause', title: titles.pause, track: 'minmax(0, 1.2fr)', Cell: AgentPause },
    queues: { id: 'queues', title: titles.queues, track: 'minmax(0, 0.9fr)', Cell: AgentQueues },
    answered: {
      id: 'answered',
      title: titles.answered,
      track: px(68),
      by: 'answered',
      first: 'descending',
      isNumeric: true,
      Cell: AgentAnswered,
    },
  };
  return [
    { ...name, track: 'minmax(0, 1.6fr)', Cell: AgentName },
    { id: 'state', title: titles.state, track: px(room < STATE_ROOMY_FROM ? 136 : 156), by: 'state', Cell: AgentState },
    {
      id: 'time',
      title: titles.time,
      track: px(68),
      by: 'time',
      first: 'descending',
      isNumeric: true,
      Cell: AgentTime,
    },
    ...(['pause', 'queues', 'answered'] as const)
      .filter((column) => chosen.includes(column) && room >= ROOM[column])
      .map((column) => optional[column]),
    ...actions,
  ];
}

/** How many buttons an agent has at most. */
export function mostButtons({ me, switchboard }: PanelView, rows: readonly AgentRow[]): number {
  const mayPause = may(me, switchboard, 'pause') || may(me, switchboard, 'pause_self');
  const pauses = mayPause ? 1 + Number(rows.some(({ pausedIn }) => pausedIn.length > 0)) : 0;
  return pauses + Number(may(me, switchboard, 'edit_members'));
}

function actionsColumn(title: string, room: number, { button }: Measures, buttons: number): AgentTableColumn {
  const column = { id: 'actions', title, isTitleHidden: true };
  if (room >= WITHOUT_BUTTONS + WORDS_PX * buttons) {
    return { ...column, track: `${WORDS_PX * buttons}px`, Cell: AgentActionsInWords };
  }
  // Where room is short, it is for each row what its own buttons take
  const track = room < CARD_BELOW ? 'max-content' : `${buttons * button + (buttons - 1) * GAP_PX}px`;
  return { ...column, track, Cell: AgentActions };
}
