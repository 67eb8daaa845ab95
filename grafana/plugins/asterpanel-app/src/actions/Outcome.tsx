import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, useStyles2 } from '@grafana/ui';
import React from 'react';

import type { QueueResult } from '../api/types';
import { useTexts } from '../i18n';
import { isolated } from '../i18n/isolated';
import type { SettledState } from './actionState';
import { outcomeWords, queueWords } from './outcomeWords';

interface Props {
  state: SettledState;
  /** What is told once it is done; else only that it is. */
  done?: string;
}

/** What came of an action: what happened, what to do next, and the result of each queue. */
export function Outcome({ state, done }: Props) {
  const { actions } = useTexts();
  const styles = useStyles2(getStyles);
  const { severity, what, next, apiText, queues } = outcomeWords(actions, state);
  return (
    <Alert severity={severity} title={state.is === 'done' && done ? done : what}>
      <p className={styles.next}>{next}</p>
      {queues.length > 0 && <QueueResults queues={queues} />}
      {apiText && (
        <p className={styles.apiText}>
          {actions.apiSays} <span lang="en">{apiText}</span>
        </p>
      )}
    </Alert>
  );
}

/** Where it is as it was asked for, the switchboard's own words ("Interface paused successfully") are of no use. */
function isGood({ result }: QueueResult): boolean {
  return result === 'done' || result === 'accepted' || result === 'already_so';
}

function QueueResults({ queues }: { queues: QueueResult[] }) {
  const { actions } = useTexts();
  const styles = useStyles2(getStyles);
  return (
    <ul className={styles.queues} aria-label={actions.resultByQueue}>
      {queues.map((each, index) => (
        <li key={index}>
          <strong>{isolated(each.queue)}</strong> – {queueWords(actions, each)}
          {each.message && !isGood(each) && (
            <span className={styles.message} lang="en">
              {each.message}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  next: css({ margin: 0 }),
  queues: css({
    listStyle: 'none',
    margin: theme.spacing(1, 0, 0),
    maxHeight: '30vh',
    overflowY: 'auto',
    overflowWrap: 'anywhere',
  }),
  message: css({
    display: 'block',
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  apiText: css({
    margin: theme.spacing(1, 0, 0),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    overflowWrap: 'anywhere',
  }),
});
