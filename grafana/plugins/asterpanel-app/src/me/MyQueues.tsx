import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import React from 'react';

import type { LiveState, Member } from '../api/types';
import { useTexts } from '../i18n';
import { isolated } from '../i18n/isolated';
import { formatNumber } from '../i18n/format';
import { ownValue } from '../view/records';
import { Section } from './Section';

interface Props {
  document: LiveState;
  /** By queue. */
  memberships: ReadonlyMap<string, Member>;
  /** Then it need not be told of each queue. */
  isPausedEverywhere: boolean;
}

/** One's own queues: who waits there, and with which penalty one is a member. */
export function MyQueues({ document, memberships, isPausedEverywhere }: Props) {
  const { me: texts } = useTexts();
  const styles = useStyles2(getStyles);
  return (
    <Section title={texts.myQueues}>
      <table className={styles.table} aria-label={texts.myQueues}>
        <thead>
          <tr>
            <th scope="col">{texts.queue}</th>
            <th scope="col" className={styles.number}>
              {texts.waiting}
            </th>
            <th scope="col" className={styles.number}>
              {texts.penalty}
            </th>
          </tr>
        </thead>
        <tbody>
          {Array.from(memberships, ([queue, member]) => (
            <tr key={queue}>
              <th scope="row">
                {isolated(queue)}
                {member.paused && !isPausedEverywhere && (
                  <span className={styles.paused}>
                    {' '}
                    <Icon name="pause" size="sm" aria-hidden /> {texts.pausedHere}
                    {member.pause_reason && `: ${isolated(member.pause_reason)}`}
                  </span>
                )}
              </th>
              <td className={styles.number}>{formatNumber(ownValue(document.queues, queue)?.waiting.length ?? 0)}</td>
              <td className={styles.number}>{formatNumber(member.penalty)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    '& th, & td': { padding: theme.spacing(1, 1, 1, 0), textAlign: 'left', verticalAlign: 'top' },
    '& thead th': { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular },
    '& tbody th': { fontWeight: theme.typography.fontWeightMedium },
    '& tbody tr': { borderTop: `1px solid ${theme.colors.border.weak}` },
  }),
  number: css({ '&&': { textAlign: 'right' }, fontVariantNumeric: 'tabular-nums' }),
  paused: css({ color: theme.colors.warning.text, fontWeight: theme.typography.fontWeightRegular }),
});
