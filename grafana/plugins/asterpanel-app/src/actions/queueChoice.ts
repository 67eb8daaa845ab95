import { foreignChanges, Penalties, takenOver } from './membershipChanges';
import { wholeNumber } from './wholeNumber';

/** What somebody has chosen in the dialog of an agent's queues. Pure: each step makes a new choice. */
export interface QueueChoice {
  /** His memberships when the choice began, or was last brought up to date. */
  base: Penalties;
  /** The queues that are ticked, with the penalty as it is typed. */
  typed: ReadonlyMap<string, string>;
}

/** A choice that is as it is now. */
export function choiceOf(now: Penalties): QueueChoice {
  return { base: now, typed: new Map(Array.from(now, ([queue, penalty]) => [queue, String(penalty)])) };
}

/** With this queue ticked, with the penalty that he had there, or not ticked. */
export function ticked(choice: QueueChoice, queue: string, isTicked: boolean): QueueChoice {
  const typed = new Map(choice.typed);
  if (isTicked) {
    typed.set(queue, String(choice.base.get(queue) ?? 0));
  } else {
    typed.delete(queue);
  }
  return { ...choice, typed };
}

/** With this typed as the penalty in the queue. */
export function withPenalty(choice: QueueChoice, queue: string, text: string): QueueChoice {
  return { ...choice, typed: new Map(choice.typed).set(queue, text) };
}

/** The penalty that is typed for a queue; null if it is none. */
export function penaltyOf(text: string): number | null {
  return wholeNumber(text, 0);
}

/**
 * The memberships that are wanted.
 *
 * @param queues - those that may be changed; others are left alone, also when they were ticked before they went
 * @returns and the queues whose penalty is none, which are not among the wanted
 */
export function wantedOf(choice: QueueChoice, queues: string[]): { wanted: Map<string, number>; invalid: string[] } {
  const wanted = new Map<string, number>();
  const invalid: string[] = [];
  for (const queue of queues) {
    const text = choice.typed.get(queue);
    if (text !== undefined) {
      const penalty = penaltyOf(text);
      if (penalty === null) {
        invalid.push(queue);
      } else {
        wanted.set(queue, penalty);
      }
    }
  }
  return { wanted, invalid };
}

/** Queues that somebody else has changed since; until that is settled, the choice is not to be carried out. */
export function changedMeanwhile(choice: QueueChoice, now: Penalties, queues: string[]): string[] {
  const { wanted } = wantedOf(choice, queues);
  return foreignChanges(choice.base, now, wanted);
}

/** What others have changed is so in the choice too. */
export function takeOver(choice: QueueChoice, now: Penalties, queues: string[]): QueueChoice {
  const theirs = changedMeanwhile(choice, now, queues);
  const merged = takenOver(wantedOf(choice, queues).wanted, now, theirs);
  return choiceWith(now, merged);
}

/** What others have changed is known, and to be undone. */
export function keepMine(choice: QueueChoice, now: Penalties): QueueChoice {
  return { ...choice, base: now };
}

function choiceWith(base: Penalties, wanted: Penalties): QueueChoice {
  return { ...choiceOf(wanted), base };
}
