import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import type { Direction, Sort } from '../view/sorting';
import { ChangingIcon } from './ChangingIcon';
import { OnlySaid } from './OnlySaid';

interface Props<By extends string> {
  column: { title: string; by?: By; first?: Direction; isNumeric?: boolean; isTitleHidden?: boolean };
  sort: Sort<By>;
  onSort(by: By, first: Direction): void;
}

/** The header of a column: a button, where the column can be sorted. */
export function ColumnHeader<By extends string>({ column, sort, onSort }: Props<By>) {
  const styles = useStyles2(getStyles);
  const { title, by, first = 'ascending', isNumeric, isTitleHidden } = column;
  const isSorted = by !== undefined && sort.by === by;
  if (by === undefined) {
    return (
      <div role="columnheader" className={cx(styles.header, isNumeric && styles.numeric)}>
        {isTitleHidden ? <OnlySaid>{title}</OnlySaid> : <span className={styles.title}>{title}</span>}
      </div>
    );
  }
  return (
    <div
      role="columnheader"
      aria-sort={isSorted ? sort.direction : undefined}
      className={cx(styles.header, isNumeric && styles.numeric)}
    >
      <button type="button" className={styles.button} title={title} onClick={() => onSort(by, first)}>
        <span className={styles.title}>{title}</span>
        {isSorted && <ChangingIcon name={sort.direction === 'ascending' ? 'arrow-up' : 'arrow-down'} size="sm" />}
      </button>
    </div>
  );
}

function getStyles(theme: GrafanaTheme2) {
  const { colors, typography } = theme;
  return {
    header: css({
      display: 'flex',
      minWidth: 0,
      color: colors.text.secondary,
      fontSize: `calc(${typography.bodySmall.fontSize} * var(--asterpanel-scale, 1))`,
      fontWeight: typography.fontWeightMedium,
    }),
    numeric: css({ justifyContent: 'flex-end', textAlign: 'right' }),
    title: css({
      display: '-webkit-box',
      WebkitBoxOrient: 'vertical',
      WebkitLineClamp: 2,
      overflow: 'hidden',
      lineHeight: 1.3,
    }),
    button: css({
      display: 'inline-flex',
      alignItems: 'center',
      gap: theme.spacing(0.25),
      minWidth: 0,
      minHeight: 24,
      padding: 0,
      border: 'none',
      background: 'none',
      color: 'inherit',
      font: 'inherit',
      textAlign: 'inherit',
      '&:hover': { color: colors.text.primary },
      '&:focus-visible': { outline: `2px solid ${colors.primary.border}`, outlineOffset: 1 },
    }),
  };
}
