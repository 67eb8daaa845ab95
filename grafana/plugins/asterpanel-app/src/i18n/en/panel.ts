import { formatNumber, plural } from '../format';
import { isolated } from '../isolated';

/** Words of the live panel. */
export const panel = {
  name: 'Asterpanel live',

  freshness: {
    connecting: 'Connecting…',
    live: 'Live',
    polling: 'Every 3 s',
    reconnecting: 'Reconnecting…',
    ended: 'Ended',
    stale: 'Stale',
    down: 'Switchboard down',
    dataAsOf: (time: string) => `Data as of ${time}`,
  },
  banner: {
    seconds: (seconds: number) => `${seconds} s`,
    stale: (age: string, time: string) => `No news for ${age}: what is below is as of ${time}`,
    staleSaid: (time: string) => `No news from the switchboard: what is below is as of ${time}`,
    down: (time: string) => `The switchboard is not connected: what is below is as of ${time}`,
    away: (time: string) => `The live state does not arrive: what is below is as of ${time}`,
    ended: 'You may not see this switchboard any more',
    endedNext: 'Ask whoever keeps the profiles, or choose another switchboard.',
    unknownTime: 'an unknown time',
  },

  problems: {
    unreachable: {
      title: 'The control API does not answer',
      next: 'It is tried again every few seconds. If it stays away, tell your administrator: the app’s configuration has a test of the connection.',
    },
    not_configured: {
      title: 'Asterpanel is not configured in this Grafana',
      next: 'Your administrator enables the app, and gives it the control API’s address and secret in its configuration.',
    },
    signed_out: {
      title: 'Grafana does not know any more who you are',
      next: 'Reload the page and sign in again.',
    },
    unauthenticated: {
      title: 'The control API does not believe who you are',
      next: 'Sign in to Grafana again. If it happens again, tell your administrator: the app’s configuration has a test of the connection.',
    },
    not_found: {
      title: 'You may not see this switchboard, or there is none of this name',
      next: 'Choose another switchboard, or ask whoever keeps the profiles.',
    },
    forbidden: {
      title: 'You may not see this switchboard',
      next: 'Choose another switchboard, or ask whoever keeps the profiles.',
    },
    too_many_streams: {
      title: 'Too many people look at the live state at once',
      next: 'Close panels that nobody needs, or tell your administrator.',
    },
    too_many_requests: {
      title: 'Too many requests at once',
      next: 'Wait a moment: it is tried again.',
    },
    no_state: {
      title: 'Nothing is known of this switchboard yet',
      next: 'The exporter has told nothing of it. If that takes long, tell your administrator.',
    },
    other: {
      title: 'The live state cannot be shown',
      next: 'Try again. If it happens again, show this to your administrator.',
    },
    outOfSight: {
      title: (switchboard: string) => `You may not see ${isolated(switchboard)}, or there is no such switchboard`,
      next: 'Choose another switchboard, or ask whoever keeps the profiles.',
    },
    noProfile: {
      title: 'There is no profile for you',
      next: (login: string) =>
        `Ask whoever keeps the profiles (profiles.yml) to add ${isolated(login) || 'your account'} to one.`,
    },
  },
  openConfiguration: 'Open the configuration',
  apiSays: 'The control API says:',
  connectingTo: (switchboard: string) => `Connecting to ${isolated(switchboard)}…`,
  loadingRights: 'Asking what you may see…',

  filter: 'Filter',
  filterPlaceholder: 'Filter by name, id, queue or reason',
  clearFilter: 'Clear the filter',
  noMatch: (typed: string) => `Nothing matches “${isolated(typed)}”.`,
  badPattern: (error: string) =>
    `The panel’s queue filter is not a regular expression: ${error}. All queues are shown.`,

  sections: { queues: 'Queues', agents: 'Agents', calls: 'Calls in progress' },
  tabs: { queues: 'Queues', agents: 'Agents', calls: 'Calls' },
  sectionTabs: 'Sections',
  scrollable: (title: string) => `${title}: list that scrolls`,
  waitingInAll: (count: number) =>
    count === 0
      ? 'nobody waits'
      : `${formatNumber(count)} ${plural(count, { one: 'caller waits', other: 'callers wait' })}`,
  freeOfAll: (free: number, all: number) => `${formatNumber(free)} free of ${formatNumber(all)}`,
  callCount: (count: number) =>
    count === 0 ? 'nobody talks' : `${formatNumber(count)} ${plural(count, { one: 'call', other: 'calls' })}`,

  noQueues: 'No queues in sight.',
  noAgents: 'No agents in sight.',
  nobodyTalks: 'Nobody talks at the moment.',
  nobodyWaits: 'Nobody waits at the moment.',
  noQueuePasses: 'No queue passes the panel’s own filter.',
  noAgentPasses: 'No agent passes the panel’s own filter.',

  levels: { warning: 'warning', critical: 'critical' },

  queueColumns: {
    name: 'Queue',
    waiting: 'Waiting',
    longestWait: 'Longest wait',
    inProgress: 'In progress',
    agents: 'Free agents',
    serviceLevel: 'Service level',
  },
  freeShort: (free: number, all: number) => `${formatNumber(free)}/${formatNumber(all)} free`,
  inProgressShort: (count: number) => `${formatNumber(count)} in progress`,
  serviceLevelShort: (share: string) => `SL ${share}`,
  serviceLevelNone: 'no calls today that count',
  callerPosition: (position: number) => `Position ${position}`,
  callerPriority: (priority: number) => `priority ${priority}`,
  callerWaits: 'waits',
  unknownNumber: 'unknown number',

  agentColumns: {
    name: 'Agent',
    state: 'State',
    time: 'Time',
    pause: 'Pause',
    queues: 'Queues',
    answered: 'Answered',
    actions: 'Actions',
  },
  noReason: 'no reason given',
  pausedIn: (queues: string) => `in ${queues}`,
  pausedToo: 'Paused',
  answeredToday: (count: number) => `${formatNumber(count)} answered today`,

  callColumns: { queue: 'Queue', agent: 'Agent', time: 'Talk time' },
  agentOutOfSight: 'not in sight',

  pause: 'Pause',
  pauseAgent: (name: string) => `Pause ${isolated(name)}`,
  endPause: 'End pause',
  endPauseOf: (name: string) => `End pause of ${isolated(name)}`,
  queues: 'Queues',
  changeQueuesOf: (name: string) => `Change queues of ${isolated(name)}`,
  priority: 'Priority',
  changePriorityOf: (caller: string, queue: string) => `Change priority of ${isolated(caller)} in ${isolated(queue)}`,
  withdraw: 'Withdraw',
  withdrawFrom: (caller: string, queue: string) => `Withdraw ${isolated(caller)} from ${isolated(queue)}`,

  options: {
    categories: { what: ['Asterpanel'], queues: ['Queues'], agents: ['Agents'] },
    variable: 'Dashboard variable',
    variableHelp:
      'Whose value is the switchboard to show; the menu in the panel sets it. Empty: the menu alone decides.',
    sections: 'Sections',
    density: 'Density',
    densities: { comfortable: 'Comfortable', compact: 'Compact', wallboard: 'Wallboard' },
    showSearch: 'Search field',
    queuePattern: 'Only these queues',
    queuePatternHelp:
      'Globs with commas between them (sales-*, billing), or a regular expression between slashes (/^sales/). Also for agents and calls. Empty: all.',
    onlyWaiting: 'Only queues with waiting callers',
    showCallers: 'Waiting callers',
    showServiceLevel: 'Service level of today',
    columns: 'Columns',
    order: 'Order',
    queueOrders: { name: 'Name', waiting: 'Most waiting', longest_wait: 'Longest wait' },
    agentOrders: { state: 'State', name: 'Name', time: 'Longest in the state' },
    states: 'Only these states',
    statesHelp: 'None chosen: all.',
    hideUnavailable: 'Hide who is unavailable',
  },
};
