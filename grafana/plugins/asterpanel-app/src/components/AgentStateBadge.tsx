import { css, cx } from '@emotion/css';
import { GrafanaTheme2, IconName } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import type { AgentState } from '../api/types';
import { useTexts } from '../i18n';
import { ChangingIcon } from './ChangingIcon';
import { OnlySaid } from './OnlySaid';

const ICONS: Record<AgentState, IconName> = {
  unavailable: 'times-circle',
  on_call: 'comments-alt',
  on_hold: 'hourglass',
  ringing: 'bell',
  wrapup: 'pen',
  paused: 'pause',
  idle: 'check-circle',
};

interface Props {
  state: AgentState;
  /** Whether he is paused in every queue, which he may also be while he is on a call. */
  paused: boolean;
}

/** What an agent is doing: an icon, a word and a colour. */
export function AgentStateBadge({ state, paused }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts();
  return (
    <span className={styles.both}>
      <span className={cx(styles.badge, styles[state])}>
        <ChangingIcon name={ICONS[state]} size="sm" />
        <span className={styles.word}>{texts.common.states[state]}</span>
      </span>
      {paused && state !== 'paused' && (
        <span className={cx(styles.badge, styles.paused, styles.too)} title={texts.panel.pausedToo}>
          <ChangingIcon name={ICONS.paused} size="sm" />
          <OnlySaid>{texts.panel.pausedToo}</OnlySaid>
        </span>
      )}
    </span>
  );
}

function getStyles(theme: GrafanaTheme2) {
  const { colors, visualization } = theme;
  const tinted = (icon: string, background: string) =>
    css({ background, '& svg': { color: icon, width: '1em', height: '1em' } });
  const purple = visualization.getColorByName('purple');
  return {
    both: css({ display: 'inline-flex', gap: theme.spacing(0.5), minWidth: 0, maxWidth: '100%' }),
    badge: css({
      display: 'inline-flex',
      alignItems: 'center',
      gap: theme.spacing(0.5),
      minWidth: 0,
      padding: theme.spacing(0, 0.75),
      borderRadius: theme.shape.radius.default,
      border: `1px solid ${colors.border.weak}`,
      color: colors.text.primary,
      lineHeight: 1.5,
    }),
    too: css({ position: 'relative', flexShrink: 0 }),
    word: css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }),
    idle: tinted(colors.success.text, colors.success.transparent),
    on_call: tinted(colors.info.text, colors.info.transparent),
    on_hold: tinted(purple, colors.emphasize(colors.background.secondary, 0.05)),
    ringing: tinted(colors.warning.text, colors.warning.transparent),
    wrapup: tinted(colors.info.text, colors.background.secondary),
    paused: tinted(colors.warning.text, colors.background.secondary),
    unavailable: tinted(colors.text.secondary, colors.background.secondary),
  };
}
