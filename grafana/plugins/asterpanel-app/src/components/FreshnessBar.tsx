import { css, cx } from '@emotion/css';
import { GrafanaTheme2, IconName } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import { useTexts } from '../i18n';
import { formatClock } from '../i18n/format';
import type { Live } from '../live/useLive';
import { FreshnessWord, freshnessWord } from '../view/freshness';
import { ChangingIcon } from './ChangingIcon';
import { StaleBanner } from './StaleBanner';

interface Props {
  live: Live;
  /** Of IANA; the browser's if left out. */
  timeZone?: string;
}

/** How fresh the live state is: the status line, and a banner if it must not be relied on. */
export function FreshnessBar(props: Props) {
  return (
    <>
      <FreshnessLine {...props} />
      <StaleBanner {...props} />
    </>
  );
}

/** A dot, a word, and as of when the data are. */
export function FreshnessLine({ live, timeZone }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel.freshness;
  const word = freshnessWord(live);
  const { icon, look } = LOOKS[word];
  return (
    <span role="status" className={styles.line}>
      <span className={cx(styles.word, styles[look])}>
        <ChangingIcon name={icon} size="sm" />
        {texts[word]}
      </span>
      {live.asOf !== null && (
        // It changes each second: not to be read out each time
        <span aria-live="off" className={styles.asOf}>
          {texts.dataAsOf(formatClock(Math.floor(live.asOf), timeZone))}
        </span>
      )}
    </span>
  );
}

const LOOKS: Record<FreshnessWord, { icon: IconName; look: 'good' | 'waiting' | 'bad' }> = {
  live: { icon: 'circle', look: 'good' },
  polling: { icon: 'history', look: 'good' },
  connecting: { icon: 'sync', look: 'waiting' },
  reconnecting: { icon: 'sync', look: 'waiting' },
  stale: { icon: 'exclamation-triangle', look: 'bad' },
  down: { icon: 'exclamation-triangle', look: 'bad' },
  ended: { icon: 'lock', look: 'bad' },
};

function getStyles(theme: GrafanaTheme2) {
  const { colors } = theme;
  return {
    line: css({
      display: 'inline-flex',
      flexWrap: 'wrap',
      alignItems: 'center',
      columnGap: theme.spacing(1),
      fontSize: `calc(${theme.typography.bodySmall.fontSize} * var(--asterpanel-scale, 1))`,
    }),
    word: css({
      display: 'inline-flex',
      alignItems: 'center',
      gap: theme.spacing(0.5),
      '& svg': { width: '1em', height: '1em' },
    }),
    asOf: css({ color: colors.text.secondary, fontVariantNumeric: 'tabular-nums' }),
    good: css({ '& svg': { color: colors.success.text } }),
    waiting: css({ color: colors.text.secondary }),
    bad: css({ color: colors.warning.text }),
  };
}
