import { AppEvents } from '@grafana/data';
import { getAppEvents } from '@grafana/runtime';

import type { Texts } from '../i18n';
import { isolated } from '../i18n/isolated';
import type { SettledState } from './actionState';
import { OutcomeWords, outcomeWords, queueWords } from './outcomeWords';

/** What an action is called when it is told of. */
export interface Asked {
  /** `Pause Anna Rossi`. */
  what: string;
  /** `Anna Rossi is paused: Lunch`. */
  done: string;
}

/** A result in one title and some lines. */
export interface Announcement {
  severity: OutcomeWords['severity'];
  title: string;
  text: string;
}

/** What is told of an action that has settled. */
export function announcementOf(texts: Texts['actions'], asked: Asked, state: SettledState): Announcement {
  if (state.is === 'done') {
    return { severity: 'success', title: asked.done, text: '' };
  }
  const { severity, what, next, queues } = outcomeWords(texts, state);
  const lines = queues.map((each) => `${isolated(each.queue)}: ${queueWords(texts, each)}.`);
  return { severity, title: asked.what, text: [what, ...lines, next].join(' ') };
}

const EVENTS = {
  success: AppEvents.alertSuccess,
  info: AppEvents.alertWarning,
  warning: AppEvents.alertWarning,
  error: AppEvents.alertError,
};

/** Show it as Grafana shows its own messages, wherever in Grafana one is by then. */
export function showToast({ severity, title, text }: Announcement): void {
  getAppEvents().publish({ type: EVENTS[severity].name, payload: text ? [title, text] : [title] });
}
