import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { PropsWithChildren } from 'react';

/** Radio buttons or checkboxes that belong together, under a heading that screen readers tell with each. */
export function Choices({ legend, children }: PropsWithChildren<{ legend: string }>) {
  const styles = useStyles2(getStyles);
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{legend}</legend>
      {children}
    </fieldset>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  group: css({ border: 0, margin: theme.spacing(0, 0, 2), padding: 0, minWidth: 0 }),
  legend: css({
    border: 0,
    width: 'auto',
    margin: theme.spacing(0, 0, 0.5),
    padding: 0,
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
  }),
});
