import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { ReactNode } from 'react';

interface Props {
  /** For screen readers; also shown if it is a heading. */
  label: string;
  facts: Array<[name: string, value: ReactNode]>;
}

/** Some facts beside each other, each under its name; as many in a row as there is room for. */
export function Facts({ label, facts }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <dl aria-label={label} className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className={styles.name}>{name}</dt>
          <dd className={styles.value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  facts: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(1.5, 4),
    margin: 0,
    '& > div': { minWidth: '96px', maxWidth: '100%' },
  }),
  name: css({
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightRegular,
  }),
  value: css({ margin: 0, fontSize: theme.typography.h5.fontSize }),
});
