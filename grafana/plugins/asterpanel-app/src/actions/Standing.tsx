import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Spinner, useStyles2 } from '@grafana/ui';
import React, { useEffect, useRef } from 'react';

import { useTexts } from '../i18n';
import type { ActionState } from './actionState';
import { Outcome } from './Outcome';

interface Props {
  state: ActionState;
  /** What is told once it is done; else only that it is. */
  done?: string;
}

/** Says that the switchboard is asked, then what came of it; takes the focus, as the button that had it rests. */
export function Standing({ state, done }: Props) {
  const { actions } = useTexts();
  const styles = useStyles2(getStyles);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (state.is !== 'idle') {
      place.current?.focus();
      place.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [state.is]);
  return (
    <div ref={place} tabIndex={-1} aria-live="polite" className={styles.standing}>
      {state.is === 'pending' && (
        <div className={styles.pending}>
          <Spinner inline /> {actions.waiting}
        </div>
      )}
      {state.is !== 'idle' && state.is !== 'pending' && <Outcome state={state} done={done} />}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  standing: css({
    outline: 'none',
    // The dialog's buttons lie over the end of what is scrolled
    scrollMarginBottom: theme.spacing(12),
    '&:not(:empty)': { marginTop: theme.spacing(2) },
  }),
  pending: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1) }),
});
