import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Button, Icon, useStyles2 } from '@grafana/ui';
import React from 'react';

import { Texts, useTexts } from '../i18n';
import { formatClock, formatDuration } from '../i18n/format';
import { useNow } from '../live/clock';
import type { Live } from '../live/useLive';
import { Doubt, doubtOf } from '../view/freshness';
import { OnlySaid } from './OnlySaid';
import { problemWords } from './problemWords';

interface Props {
  live: Live;
  /** Of IANA; the browser's if left out. */
  timeZone?: string;
}

/** Says that what is below must not be relied on, or is not there any more, and why; nothing if it may be. */
export function StaleBanner({ live, timeZone }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts();
  const doubt = doubtOf(live);
  if (doubt === null) {
    return null;
  }
  const { panel, common } = texts;
  const time = live.asOf === null ? panel.banner.unknownTime : formatClock(Math.floor(live.asOf), timeZone);
  return (
    <div className={styles.banner}>
      <Icon name="exclamation-triangle" aria-hidden />
      <div role="alert" className={styles.words}>
        <strong>
          {doubt === 'stale' && live.asOf !== null ? (
            <StaleFor asOf={live.asOf} time={time} />
          ) : (
            titleOf(panel, doubt, time)
          )}
        </strong>
        <span>{nextOf(texts, doubt, live)}</span>
      </div>
      <Button size="sm" variant="secondary" icon="sync" onClick={live.retry}>
        {common.tryAgain}
      </Button>
    </div>
  );
}

/** The age is seen as it grows, but read out only once. */
function StaleFor({ asOf, time }: { asOf: number; time: string }) {
  const texts = useTexts().panel.banner;
  const age = useNow() - asOf;
  return (
    <>
      <span aria-hidden>
        {texts.stale(age < 60 ? texts.seconds(Math.max(0, Math.floor(age))) : formatDuration(age), time)}
      </span>
      <OnlySaid>{texts.staleSaid(time)}</OnlySaid>
    </>
  );
}

function titleOf({ banner }: Texts['panel'], doubt: Doubt, time: string): string {
  return doubt === 'ended' ? banner.ended : (doubt === 'stale' ? banner.staleSaid : banner[doubt])(time);
}

function nextOf(texts: Texts, doubt: Doubt, { error }: Live): string {
  if (doubt === 'ended') {
    return texts.panel.banner.endedNext;
  }
  if (!error) {
    return '';
  }
  const { title, next } = problemWords(texts.panel, error);
  return `${title}. ${next}`;
}

function getStyles(theme: GrafanaTheme2) {
  const { warning, text } = theme.colors;
  return {
    banner: css({
      display: 'flex',
      alignItems: 'center',
      gap: theme.spacing(1),
      padding: theme.spacing(0.75, 1),
      color: text.primary,
      background: warning.transparent,
      border: `1px solid ${warning.border}`,
      borderLeftWidth: theme.spacing(0.5),
      borderRadius: theme.shape.radius.default,
      '& > div > svg': { color: warning.text },
    }),
    words: css({
      display: 'flex',
      flexWrap: 'wrap',
      columnGap: theme.spacing(1),
      flex: 1,
      minWidth: 0,
      fontVariantNumeric: 'tabular-nums',
    }),
  };
}
