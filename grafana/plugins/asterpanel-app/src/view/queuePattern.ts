import { matchesGlob } from '../access/globs';

/** Which queues a panel is about, or why that cannot be told. */
export interface QueuePattern {
  matches: (queue: string) => boolean;
  /** Whether every queue matches. */
  isAll: boolean;
  /** What is wrong with it; null: nothing. With an error, every queue matches. */
  error: string | null;
}

const ALL: QueuePattern = { matches: () => true, isAll: true, error: null };

/**
 * Reads the panel's option: a regular expression between slashes (`/^sales/`), else globs between commas
 * (`sales-*, billing`); empty: all queues. Case does not matter.
 */
export function queuePattern(option: string): QueuePattern {
  const text = option.trim();
  const expression = /^\/(.*)\/$/.exec(text)?.[1];
  return expression === undefined ? globPattern(text) : expressionPattern(expression);
}

function globPattern(text: string): QueuePattern {
  const globs = text
    .split(',')
    .map((glob) => glob.trim())
    .filter((glob) => glob !== '');
  return globs.length === 0 ? ALL : { matches: (queue) => matchesGlob(globs, queue), isAll: false, error: null };
}

function expressionPattern(source: string): QueuePattern {
  try {
    const expression = new RegExp(source, 'iu');
    return { matches: (queue) => expression.test(queue), isAll: false, error: null };
  } catch (error) {
    return { ...ALL, error: error instanceof Error ? error.message : String(error) };
  }
}
