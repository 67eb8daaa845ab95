import type { Levels } from '../api/types';

/** What a figure is, given its levels. */
export type Status = 'ok' | 'warning' | 'critical';

/**
 * What a figure is. Where small figures are the bad ones (`critical` is the smaller level), it is bad below its
 * levels, else from them on.
 *
 * @param value - null: not known, which is no reason to worry
 */
export function statusOf(value: number | null, levels: Levels | undefined): Status {
  if (value === null || !levels) {
    return 'ok';
  }
  const isBeyond = (level: number) => (levels.critical < levels.warning ? value < level : value >= level);
  if (isBeyond(levels.critical)) {
    return 'critical';
  }
  return isBeyond(levels.warning) ? 'warning' : 'ok';
}
