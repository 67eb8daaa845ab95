import type { ApiError } from '../api/ApiError';
import type { QueueResult } from '../api/types';
import type { Texts } from '../i18n';
import { ownValue } from '../view/records';
import type { SettledState } from './actionState';

type ActionTexts = Texts['actions'];
type OutcomeText = Pick<OutcomeWords, 'what' | 'next'>;

/** What came of an action, as people read it. */
export interface OutcomeWords {
  severity: 'success' | 'info' | 'warning' | 'error';
  /** What happened. */
  what: string;
  /** What to do next. */
  next: string;
  /** The control API's own text about an error, in English; empty if there is none. */
  apiText: string;
  /** What is known of each queue that it was about. */
  queues: QueueResult[];
}

const SEVERITIES = { done: 'success', accepted: 'warning', partial: 'warning', already_so: 'info' } as const;

/** What came of an action, in words; a result that only a newer control API knows, by its id. */
export function outcomeWords(texts: ActionTexts, state: SettledState): OutcomeWords {
  if (state.is === 'failed') {
    return { severity: 'error', ...errorWords(texts, state.error), queues: state.error.detail.queues ?? [] };
  }
  return {
    severity: ownValue<OutcomeWords['severity']>(SEVERITIES, state.is) ?? 'warning',
    ...(ownValue<OutcomeText>(texts.outcomes, state.is) ?? { what: state.is, next: '' }),
    apiText: '',
    queues: state.queues,
  };
}

/** An error of the control API, or before it, in words; also one that only a newer control API knows. */
export function errorWords(texts: ActionTexts, error: ApiError): Pick<OutcomeWords, 'what' | 'next' | 'apiText'> {
  const { other, ...byId } = texts.errors;
  const { what, next } = ownValue<typeof other>(byId, error.id) ?? other;
  const { right, retry_after_s: retryAfter } = error.detail;
  return {
    what: right ? `${what} ${texts.missingRight(wordOf(texts.rights, right))}` : what,
    next: retryAfter ? texts.retryAfter(retryAfter) : next,
    apiText: error.message,
  };
}

/** What came of it in one queue: `join: done`. */
export function queueWords(texts: ActionTexts, { change, result, seen }: QueueResult): string {
  return `${wordOf(texts.changesOf, change)}: ${verdictWords(texts, result, seen)}`;
}

function verdictWords(texts: ActionTexts, result: QueueResult['result'], seen: boolean): string {
  if (result === 'timed_out') {
    return seen ? texts.timedOutSeen : texts.timedOutUnseen;
  }
  return wordOf(texts.verdicts, result);
}

function wordOf(words: Record<string, string>, id: string): string {
  return ownValue(words, id) ?? id;
}
