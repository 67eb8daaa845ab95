import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { PropsWithChildren, useId } from 'react';

/** A part of the page under a heading of its own. */
export function Section({ title, children }: PropsWithChildren<{ title: string }>) {
  const styles = useStyles2(getStyles);
  const id = useId();
  return (
    <section aria-labelledby={id} className={styles.section}>
      <h2 id={id} className={styles.heading}>
        {title}
      </h2>
      {children}
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  section: css({
    background: theme.colors.background.secondary,
    borderRadius: theme.shape.radius.default,
    padding: theme.spacing(2),
  }),
  heading: css({ ...theme.typography.h4, margin: theme.spacing(0, 0, 1) }),
});
