import { isolated } from '../isolated';

/** Words of the agent's own page. */
export const me = {
  title: 'My status',
  whoIAm: 'Who I am',
  name: 'Name',
  login: 'Login',
  role: 'Role',
  noRole: 'none',
  agent: 'Agent',
  switchboard: 'Switchboard',
  state: 'State',
  since: 'For',
  pauseReason: 'Reason of the pause',
  pausedFor: 'Paused for',
  unnamed: 'none given',

  noAgent: 'You are not an agent',
  noAgentNext: (login: string) =>
    `Ask your supervisor, or whoever keeps the profiles, to enter the agent that you are for the Grafana user ${isolated(login)}.`,
  notInQueue: 'You are in no queue at present',
  notInQueueNext:
    'Log in to your queues as you are used to, or ask your supervisor to add you to one. Then you are shown here.',
  noRight: 'Your role may not pause you. Ask your supervisor to do it, or to change your role.',
  noData: 'Nothing is known of your state at the moment',
  noDataNext: 'You can ask for a pause all the same; it is told here whether the switchboard has confirmed it.',

  myQueues: 'My queues',
  queue: 'Queue',
  penalty: 'Penalty',
  waiting: 'Waiting',
  pausedHere: 'paused',

  pauseHeading: 'Pause',
  pauseFor: (reason: string) => `Pause: ${isolated(reason)}`,
  pause: 'Pause',
  reason: 'Reason',
  reasonHelp: 'Free text; may be left empty.',
  unpause: 'End my pause',

  confirmPauseTitle: 'Pause me',
  confirmPause: (reason: string, switchboard: string, onlyIn = '') => {
    const queues = onlyIn
      ? `these queues on ${isolated(switchboard)}: ${onlyIn},`
      : `any of your queues on ${isolated(switchboard)}`;
    return `Pause${reason && ` for “${isolated(reason)}”`}? You get no calls from ${queues} until you end the pause.`;
  },
  confirmUnpauseTitle: 'End my pause',
  confirmUnpause: (switchboard: string, onlyIn = '') =>
    `End the pause${onlyIn && ` in ${onlyIn}`}? ${onlyIn ? 'These' : 'Your'} queues on ${isolated(switchboard)} call you again.`,
  confirmDown: 'The switchboard is not connected at the moment, or its news are old: it may refuse.',
  donePause: (reason: string, onlyIn = '') =>
    `You are paused${onlyIn && ` in ${onlyIn}`}${reason && `: ${isolated(reason)}`}`,
  doneUnpause: (onlyIn = '') => `Your pause${onlyIn && ` in ${onlyIn}`} has ended`,

  today: 'Today',
  answered: 'Calls answered',
  talkTime: 'Talk time',
  missed: 'Missed',
  noToday: 'Today’s figures are not known.',

  linkProblem: 'The link that brought you here cannot be followed',
  linkNothingDone: 'Nothing was done. You can choose below.',
  linkProblems: {
    twice: (parameter: string) => `It names “${isolated(parameter)}” more than once.`,
    unknown_switchboard: (name: string) => `You see no switchboard “${isolated(name)}”.`,
    no_agent_there: (name: string) => `You are not an agent on the switchboard “${isolated(name)}”.`,
    unknown_action: (action: string) => `“${isolated(action)}” is no action: there are “pause” and “unpause”.`,
    unknown_reason: (reason: string) => `“${isolated(reason)}” is none of the reasons that a pause may have.`,
    no_reason: 'It gives no reason for the pause, and one is needed.',
    bad_reason: (why: string) => `Its reason cannot be used. ${why}`,
  },
};
