import React from 'react';

import type { Levels } from '../api/types';
import { formatDuration } from '../i18n/format';
import { useNow } from '../live/clock';
import { statusOf } from '../view/levels';
import { Figure } from './Figure';

interface Props {
  /** Unix seconds of the switchboard's clock. */
  since: number;
  /** From how many seconds on it is too long. */
  levels?: Levels;
}

/** How long something has lasted; ticks each second. */
export function Elapsed({ since, levels }: Props) {
  const elapsed = useNow() - since;
  return (
    <Figure role="timer" status={statusOf(elapsed, levels)}>
      {formatDuration(elapsed)}
    </Figure>
  );
}
