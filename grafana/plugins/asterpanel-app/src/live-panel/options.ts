import type { PanelOptionsEditorBuilder, SelectableValue } from '@grafana/data';

import type { AgentState } from '../api/types';
import type { Density } from '../components/density';
import type { Texts } from '../i18n';
import { AGENT_STATES, AgentOrder } from '../view/agents';
import type { Section } from '../view/layout';
import type { QueueOrder } from '../view/queues';

/** Columns of queues that one may do without; the service level has an option of its own. */
export type QueueColumn = 'in_progress' | 'agents';

/** Columns of agents that one may do without. */
export type AgentColumn = 'pause' | 'queues' | 'answered';

/** What the panel is set to. */
export interface Options {
  /**
   * Dashboard variable whose value is the switchboard. With its `$`, as Grafana looks for that to know whom a
   * change of the variable is about; `switchboard` and `${switchboard}` are understood as well.
   */
  variable: string;
  sections: Section[];
  density: Density;
  showSearch: boolean;
  queuePattern: string;
  queueOrder: Extract<QueueOrder, 'name' | 'waiting' | 'longest_wait'>;
  onlyWaiting: boolean;
  showCallers: boolean;
  showServiceLevel: boolean;
  queueColumns: QueueColumn[];
  agentOrder: Extract<AgentOrder, 'state' | 'name' | 'time'>;
  agentStates: AgentState[];
  hideUnavailable: boolean;
  agentColumns: AgentColumn[];
}

export const SECTIONS: readonly Section[] = ['queues', 'agents', 'calls'];

export const DEFAULTS: Options = {
  variable: '$switchboard',
  sections: [...SECTIONS],
  density: 'comfortable',
  showSearch: true,
  queuePattern: '',
  queueOrder: 'name',
  onlyWaiting: false,
  showCallers: true,
  showServiceLevel: true,
  queueColumns: ['in_progress', 'agents'],
  agentOrder: 'state',
  agentStates: [],
  hideUnavailable: false,
  agentColumns: ['pause', 'queues', 'answered'],
};

/** Adds the options to Grafana's editor of panels. */
export function addOptions(builder: PanelOptionsEditorBuilder<Options>, texts: Texts): void {
  addWhatIsShown(builder, texts);
  addQueueOptions(builder, texts);
  addAgentOptions(builder, texts);
}

function addWhatIsShown(builder: PanelOptionsEditorBuilder<Options>, { panel }: Texts): void {
  const { options } = panel;
  const category = options.categories.what;
  builder
    .addTextInput({
      path: 'variable',
      name: options.variable,
      description: options.variableHelp,
      defaultValue: DEFAULTS.variable,
      category,
    })
    .addMultiSelect({
      path: 'sections',
      name: options.sections,
      settings: { options: manyOf(SECTIONS, panel.sections) },
      defaultValue: DEFAULTS.sections,
      category,
    })
    .addRadio({
      path: 'density',
      name: options.density,
      settings: { options: choices<Density>(['comfortable', 'compact', 'wallboard'], options.densities) },
      defaultValue: DEFAULTS.density,
      category,
    })
    .addBooleanSwitch({ path: 'showSearch', name: options.showSearch, defaultValue: DEFAULTS.showSearch, category });
}

function addQueueOptions(builder: PanelOptionsEditorBuilder<Options>, { panel }: Texts): void {
  const { options, queueColumns } = panel;
  const category = options.categories.queues;
  const columns = { in_progress: queueColumns.inProgress, agents: queueColumns.agents };
  builder
    .addTextInput({
      path: 'queuePattern',
      name: options.queuePattern,
      description: options.queuePatternHelp,
      defaultValue: DEFAULTS.queuePattern,
      category,
    })
    .addRadio({
      path: 'queueOrder',
      name: options.order,
      settings: { options: choices<Options['queueOrder']>(['name', 'waiting', 'longest_wait'], options.queueOrders) },
      defaultValue: DEFAULTS.queueOrder,
      category,
    })
    .addBooleanSwitch({ path: 'onlyWaiting', name: options.onlyWaiting, defaultValue: DEFAULTS.onlyWaiting, category })
    .addBooleanSwitch({ path: 'showCallers', name: options.showCallers, defaultValue: DEFAULTS.showCallers, category })
    .addBooleanSwitch({
      path: 'showServiceLevel',
      name: options.showServiceLevel,
      defaultValue: DEFAULTS.showServiceLevel,
      category,
    })
    .addMultiSelect({
      path: 'queueColumns',
      name: options.columns,
      settings: { options: manyOf(DEFAULTS.queueColumns, columns) },
      defaultValue: DEFAULTS.queueColumns,
      category,
    });
}

function addAgentOptions(builder: PanelOptionsEditorBuilder<Options>, { panel, common }: Texts): void {
  const { options, agentColumns } = panel;
  const category = options.categories.agents;
  builder
    .addRadio({
      path: 'agentOrder',
      name: options.order,
      settings: { options: choices<Options['agentOrder']>(['state', 'name', 'time'], options.agentOrders) },
      defaultValue: DEFAULTS.agentOrder,
      category,
    })
    .addMultiSelect({
      path: 'agentStates',
      name: options.states,
      description: options.statesHelp,
      settings: { options: manyOf(AGENT_STATES, common.states) },
      defaultValue: DEFAULTS.agentStates,
      category,
    })
    .addBooleanSwitch({
      path: 'hideUnavailable',
      name: options.hideUnavailable,
      defaultValue: DEFAULTS.hideUnavailable,
      category,
    })
    .addMultiSelect({
      path: 'agentColumns',
      name: options.columns,
      settings: { options: manyOf(DEFAULTS.agentColumns, agentColumns) },
      defaultValue: DEFAULTS.agentColumns,
      category,
    });
}

function choices<V extends string>(values: readonly V[], labels: Record<V, string>): Array<SelectableValue<V>> {
  return values.map((value) => ({ value, label: labels[value] }));
}

/** Grafana's types take the choices of a list for choices of whole lists. */
function manyOf<V extends string>(values: readonly V[], labels: Record<V, string>): Array<SelectableValue<V[]>> {
  return choices(values, labels) as unknown as Array<SelectableValue<V[]>>;
}
