import React, { useCallback, useMemo } from 'react';

import { useMeasures } from '../components/density';
import { VirtualTable } from '../components/VirtualTable';
import { useTexts } from '../i18n';
import { AGENT_FIGURES, AgentOrder, AgentRow } from '../view/agents';
import type { Sort } from '../view/sorting';
import { agentColumns, areCards, mostButtons } from './agentColumns';
import { Nothing } from './Nothing';
import type { Options } from './options';
import { usePanelView } from './PanelView';
import type { SectionProps } from './SectionProps';
import { useSortedRows } from './useSortedRows';

/** The table of agents. */
export function AgentsSection({ rows, isAny, options, width, typed, onClear }: SectionProps<AgentRow>) {
  const texts = useTexts();
  const measures = useMeasures();
  const view = usePanelView();
  const { shown, ...sorting } = useSortedRows(rows, typed, AGENT_FIGURES, () => firstSort(options));
  const buttons = useMemo(() => mostButtons(view, rows), [view, rows]);
  const columns = useMemo(
    () => agentColumns(texts, options.agentColumns, width, measures, buttons),
    [texts, options.agentColumns, width, measures, buttons]
  );
  const height = areCards(width, measures) ? measures.card : measures.line;
  const heightOf = useCallback(() => height, [height]);
  return (
    <VirtualTable
      label={texts.panel.sections.agents}
      columns={columns}
      rows={shown}
      heightOf={heightOf}
      {...sorting}
      empty={
        <Nothing
          because={isAny ? texts.panel.noAgentPasses : texts.panel.noAgents}
          typed={rows.length > 0 ? typed : ''}
          onClear={onClear}
        />
      }
    />
  );
}

function firstSort({ agentOrder }: Options): Sort<AgentOrder> {
  return { by: agentOrder, direction: agentOrder === 'time' ? 'descending' : 'ascending' };
}
