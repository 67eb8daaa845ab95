import { plural } from '../format';
import { isolated } from '../isolated';

/** What is wrong, and what to do next. */
interface Words {
  what: string;
  next: string;
}

/** Words of the dialogs, and of what comes of actions. */
export const actions = {
  waiting: 'Waiting for the switchboard…',
  unknownNumber: 'unknown number',

  pause: {
    title: (name: string) => `Pause ${isolated(name)}`,
    confirm: 'Pause',
    done: (name: string, reason: string, onlyIn = '') =>
      `${isolated(name)} is paused${onlyIn && ` in ${onlyIn}`}${reason && `: ${isolated(reason)}`}`,
    reason: 'Reason',
    reasonOptional: 'Free text; may be left empty.',
    where: 'Where',
    inAll: 'In all queues',
    inAllAllowed: 'In all queues where you may pause him',
    inSome: 'Only in some queues',
    chooseReason: 'Choose a reason.',
    chooseQueue: 'Choose at least one queue.',
    pausedHere: 'paused already',
  },
  unpause: {
    title: (name: string) => `End the pause of ${isolated(name)}`,
    confirm: 'End the pause',
    done: (name: string, onlyIn = '') => `The pause of ${isolated(name)}${onlyIn && ` in ${onlyIn}`} has ended`,
    body: (name: string) => `${isolated(name)} is called again, in every queue where you may do this.`,
    pausedIn: 'Paused in',
    notPaused: 'There is no pause in the queues where you may end one.',
  },
  queues: {
    title: (name: string) => `Change queues of ${isolated(name)}`,
    confirm: (count: number) => `Apply ${count} ${plural(count, { one: 'change', other: 'changes' })}`,
    nothing: 'No change to apply',
    done: (name: string) => `The queues of ${isolated(name)} are changed`,
    legend: 'Member of',
    filter: 'Filter queues',
    noMatch: 'No queue has this in its name.',
    penalty: 'Penalty',
    penaltyIn: (queue: string) => `Penalty in ${isolated(queue)}`,
    penaltyHelp: 'The higher the penalty, the later the queue calls.',
    penaltyInvalid: 'A whole number from 0 to 2147483647.',
    fixed: 'Fixed: stands in the switchboard’s own configuration, and can only be ended there.',
    changes: 'Changes',
    noChanges: 'None yet.',
    joins: (queue: string, penalty: number) => `joins ${isolated(queue)} with penalty ${penalty}`,
    leaves: (queue: string) => `leaves ${isolated(queue)}`,
    penaltyChanges: (queue: string, from: number, to: number) => `${isolated(queue)}: penalty ${from} → ${to}`,
    leavesAll: 'Without any queue the agent gets no calls, and is no longer shown.',
    meanwhile: 'Meanwhile somebody else changed these queues',
    meanwhileBody: (names: string) =>
      `It is about: ${names}. Take it over into your choice, or keep your choice, which undoes it.`,
    takeOver: 'Take it over',
    keepMine: 'Keep my choice',
    none: 'There is no queue in sight that you may change for this agent.',
  },
  priority: {
    title: (caller: string, queue: string) => `Change priority of ${isolated(caller)} in ${isolated(queue)}`,
    confirm: 'Change priority',
    done: (caller: string, queue: string) => `The priority of ${isolated(caller)} in ${isolated(queue)} is changed`,
    priority: 'Priority',
    help: 'The higher the priority, the earlier a caller is served. It may be negative.',
    invalid: 'A whole number from -2147483647 to 2147483647.',
    nowUnknown: (position: number) => `Now: position ${position}`,
    now: (priority: number, position: number) => `Now: priority ${priority}, position ${position}`,
    immediate: 'Change places at once',
    immediateHelp:
      'Else the caller keeps the place, and only who joins later is put before or behind. Asterisk 16 never changes places.',
    unchanged: 'This is the priority already.',
  },
  withdraw: {
    title: (caller: string, queue: string) => `Withdraw ${isolated(caller)} from ${isolated(queue)}`,
    confirm: 'Withdraw',
    done: (caller: string, queue: string) => `${isolated(caller)} has left ${isolated(queue)}`,
    body: 'The caller goes on in the dialplan behind the queue. While a phone rings for the caller, only when it stops.',
    info: 'Information for the dialplan (QUEUE_WITHDRAW_INFO)',
    infoHelp: 'May be left empty.',
  },

  warnStale: (time: string) =>
    `What you see is as of ${time} and may have changed. The switchboard is asked all the same.`,
  warnDown: 'The switchboard is not connected at the moment: it will probably refuse.',
  warnNoData: 'Nothing is known of the switchboard at the moment.',
  agentGone: 'This agent is in none of the queues in sight any more.',
  callerGone: (queue: string) => `This caller is no longer waiting in ${isolated(queue)}.`,

  textTooLong: (bytes: number, most: number) =>
    `Too long: ${bytes} bytes of UTF-8, and the switchboard keeps ${most}. Letters with accents count two or more.`,
  textCharacter: (code: string) => `The character ${code} must not be in it: write it without.`,

  outcomes: {
    done: {
      what: 'Done.',
      next: 'The switchboard has confirmed it, and the live state shows it.',
    },
    accepted: {
      what: 'The switchboard has confirmed it; the live state does not show it yet.',
      next: 'It appears after some minutes at the latest. There is nothing more to do.',
    },
    partial: {
      what: 'Only a part of it was done, and stays so.',
      next: 'See what came of each queue; then ask again for the rest if you still want it.',
    },
    already_so: {
      what: 'It was so already.',
      next: 'Nothing was changed.',
    },
  } satisfies Record<string, Words>,
  resultByQueue: 'Result queue by queue',
  changesOf: {
    pause: 'pause',
    unpause: 'end of the pause',
    add: 'join',
    change: 'change',
    remove: 'leave',
    keep: 'unchanged',
    priority: 'priority',
    withdraw: 'withdrawal',
  },
  verdicts: {
    done: 'done',
    accepted: 'confirmed, not yet seen',
    already_so: 'was so already',
    static_member: 'not done: fixed in the switchboard’s configuration',
    not_found: 'not done: the switchboard does not know it any more',
    not_supported: 'not done: this Asterisk cannot do it',
    refused: 'not done: the switchboard refused',
    timed_out: 'no answer',
    not_connected: 'not done: no connection',
    too_many_requests: 'not done: the switchboard is busy',
    not_tried: 'not tried',
  },
  timedOutSeen: 'no answer, but the live state shows that it was done',
  timedOutUnseen: 'no answer, and the live state does not show it so far',

  apiSays: 'The control API says:',
  retryAfter: (seconds: number) => `Try again in ${seconds} s.`,
  missingRight: (right: string) => `What is missing is the right to ${right}.`,
  rights: {
    see_own: 'see yourself and your queues',
    see: 'see queues and agents',
    see_callers: 'read callers’ numbers',
    pause_self: 'pause yourself',
    pause: 'pause agents',
    edit_members: 'change members of queues',
    move_callers: 'move waiting callers',
  },
  errors: {
    invalid_request: {
      what: 'The switchboard was not asked: something in the request is not as it must be.',
      next: 'Correct what is named below, and ask again.',
    },
    not_json: {
      what: 'The control API did not understand the request.',
      next: 'Reload the page; if it happens again, tell your administrator: plugin and control API do not fit.',
    },
    unauthenticated: {
      what: 'The control API does not believe who you are. Nothing was done.',
      next: 'Sign in to Grafana again; if it happens again, your administrator can test the connection in the app’s configuration.',
    },
    forbidden: {
      what: 'You may not do this. Nothing was done.',
      next: 'Ask your supervisor, or whoever keeps the profiles.',
    },
    not_found: {
      what: 'It is not there any more, or not in your sight. Nothing was done.',
      next: 'Look at the live state: agent, queue or caller may have gone meanwhile.',
    },
    method_not_allowed: {
      what: 'The control API does not know this action.',
      next: 'Reload the page; if it happens again, tell your administrator: plugin and control API do not fit.',
    },
    too_many_requests: {
      what: 'Too many requests at once. Nothing was done.',
      next: 'Wait a moment, and ask again.',
    },
    too_many_streams: {
      what: 'Too many people look at the live state at once.',
      next: 'Close panels that nobody needs, or tell your administrator.',
    },
    too_large: {
      what: 'The request is too large. Nothing was done.',
      next: 'Change fewer queues at once.',
    },
    already_so: {
      what: 'It was so already. Nothing was changed.',
      next: 'There is nothing more to do.',
    },
    static_member: {
      what: 'The switchboard’s own configuration has this membership. It was not ended.',
      next: 'Ask whoever keeps the switchboard’s configuration to end it there.',
    },
    busy_agent: {
      what: 'Others are changing the same agent or caller right now. Nothing was done.',
      next: 'Look at what they did, and ask again if you still want it.',
    },
    refused: {
      what: 'The switchboard refused.',
      next: 'Its reason is below; if you cannot tell what to do from it, show it to your administrator.',
    },
    not_supported: {
      what: 'The Asterisk of this switchboard cannot do this. Nothing was done.',
      next: 'Tell your administrator, if you need it: a newer Asterisk can.',
    },
    not_connected: {
      what: 'There is no connection to the switchboard. Nothing was done, and nothing will be done later.',
      next: 'Ask again when it is back; if that takes long, tell your administrator.',
    },
    no_control: {
      what: 'Nobody has set up that this switchboard can be controlled from here. Nothing was done.',
      next: 'Tell your administrator: the switchboard has no control user in the configuration.',
    },
    no_state: {
      what: 'What is known of the switchboard is too old to act on. Nothing was done.',
      next: 'Ask again when the live state is back; if that takes long, tell your administrator.',
    },
    timed_out: {
      what: 'The switchboard was asked and did not answer: it may have been done, or not.',
      next: 'Look at the live state before you ask again. Nothing is repeated on its own.',
    },
    internal: {
      what: 'The control API had an error of its own.',
      next: 'Look at the live state, to see whether it was done, and tell your administrator.',
    },
    unreachable: {
      what: 'There was no answer of the control API: it may have been done, or not.',
      next: 'Look at the live state before you ask again; if there is none, tell your administrator.',
    },
    not_configured: {
      what: 'Grafana does not know where the control API is. Nothing was done.',
      next: 'Tell your administrator: the Asterpanel app is disabled or not configured.',
    },
    signed_out: {
      what: 'Grafana does not know any more who you are. Nothing was done.',
      next: 'Sign in again, and ask again.',
    },
    other: {
      what: 'It came to nothing, or only to a part, for a reason that this plugin does not know.',
      next: 'Look at the live state, to see whether it was done, and tell your administrator: the plugin may be older than the control API.',
    },
  } satisfies Record<string, Words>,
};
