import type { Live } from '../live/useLive';

/** The word for how the live state arrives. */
export type FreshnessWord = Live['status'] | 'stale' | 'down';

/** Why what is shown must not be relied on. */
export type Doubt = 'ended' | 'down' | 'stale' | 'away';

/** The word of the status line: whatever is worst. */
export function freshnessWord(live: Live): FreshnessWord {
  const doubt = doubtOf(live);
  return doubt === null || doubt === 'away' ? live.status : doubt;
}

/** Why what is shown must not be relied on; null: it may be, or nothing is shown. */
export function doubtOf({ document, status, up, stale, error }: Live): Doubt | null {
  if (status === 'ended') {
    return 'ended';
  }
  if (document === null) {
    return null;
  }
  if (!up) {
    return 'down';
  }
  if (stale) {
    return 'stale';
  }
  return error ? 'away' : null;
}
