import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { PropsWithChildren } from 'react';

import { useTexts } from '../i18n';
import type { Status } from '../view/levels';
import { ChangingIcon } from './ChangingIcon';
import { OnlySaid } from './OnlySaid';

interface Props {
  status: Status;
  role?: string;
  title?: string;
}

/** A figure; one that is over its level is coloured, has an icon, and the word for screen readers. */
export function Figure({ status, role, title, children }: PropsWithChildren<Props>) {
  const styles = useStyles2(getStyles);
  const texts = useTexts();
  return (
    <span className={cx(styles.figure, styles[status])} role={role} title={title}>
      {status !== 'ok' && (
        <>
          <ChangingIcon name={status === 'critical' ? 'exclamation-circle' : 'exclamation-triangle'} size="sm" />
          <OnlySaid>{texts.panel.levels[status]}</OnlySaid>
        </>
      )}
      {children}
    </span>
  );
}

function getStyles(theme: GrafanaTheme2) {
  return {
    figure: css({
      display: 'inline-flex',
      alignItems: 'center',
      gap: theme.spacing(0.5),
      fontVariantNumeric: 'tabular-nums',
      whiteSpace: 'nowrap',
      position: 'relative',
      '& svg': { width: '1em', height: '1em' },
    }),
    ok: css({}),
    warning: css({
      color: `var(--asterpanel-figure, ${theme.colors.warning.text})`,
      fontWeight: theme.typography.fontWeightMedium,
    }),
    critical: css({
      color: `var(--asterpanel-figure, ${theme.colors.error.text})`,
      fontWeight: theme.typography.fontWeightMedium,
    }),
  };
}
