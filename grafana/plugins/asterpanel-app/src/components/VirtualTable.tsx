import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { defaultRangeExtractor, Range, useVirtualizer } from '@tanstack/react-virtual';
import React, { ComponentType, CSSProperties, memo, ReactNode, useCallback, useLayoutEffect, useRef } from 'react';

import { useTexts } from '../i18n';
import { Direction, Sort } from '../view/sorting';
import { ColumnHeader } from './ColumnHeader';
import { useMeasures } from './density';
import { useFocusKept } from './useFocusKept';

/** A column of a table. Its lists are to be the same objects for as long as nothing changes. */
export interface Column<Row, By extends string = string> {
  id: string;
  title: string;
  /** Width, as a track of a CSS grid. */
  track: string;
  /** By what a click on its header sorts; without it the column cannot be sorted. */
  by?: By;
  /** The way of the first click; ascending if left out. */
  first?: Direction;
  isNumeric?: boolean;
  /** Whether the header is for screen readers alone. */
  isTitleHidden?: boolean;
  Cell: ComponentType<{ row: Row }>;
}

interface Props<Row extends { key: string }, By extends string> {
  /** What the table is called. */
  label: string;
  columns: ReadonlyArray<Column<Row, By>>;
  rows: readonly Row[];
  /** In pixels; another function if heights are others. */
  heightOf: (row: Row) => number;
  /** Rows that are one cell over all columns: what draws them; null: a row has a cell in each column. */
  wholeOf?(row: Row): ComponentType<{ row: Row }> | null;
  sort: Sort<By>;
  onSort(by: By, first: Direction): void;
  /** What is shown instead of no rows. */
  empty: ReactNode;
}

const OVERSCAN = 6;

/**
 * A table of which only the rows in sight are in the page, however many there are. Rows are drawn again only when
 * their object is another one; a row with the focus stays in the page, and keeps it wherever it moves.
 */
export function VirtualTable<Row extends { key: string }, By extends string>(props: Props<Row, By>) {
  const { label, columns, rows, heightOf, wholeOf, sort, onSort, empty } = props;
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  const { header } = useMeasures();
  const scroller = useRef<HTMLDivElement>(null);
  const [focused, focusEvents] = useFocusKept(rows, scroller);
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing that it returns is memoized here
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (at) => heightOf(rows[at]),
    getItemKey: useCallback((at: number) => rows[at].key, [rows]),
    rangeExtractor: useCallback((range: Range) => withIndex(range, focused), [focused]),
    overscan: OVERSCAN,
    paddingStart: header,
  });
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, heightOf]);
  const sizes = {
    '--asterpanel-tracks': columns.map(({ track }) => track).join(' '),
    '--asterpanel-header': `${header}px`,
  } as CSSProperties;
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      style={sizes}
      tabIndex={0}
      role="group"
      aria-label={texts.scrollable(label)}
      {...focusEvents}
    >
      <div
        role="table"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length}
        className={styles.table}
        style={{ height: virtualizer.getTotalSize() }}
      >
        <div role="rowgroup" className={styles.header}>
          <div role="row" aria-rowindex={1} className={styles.grid}>
            {columns.map((column) => (
              <ColumnHeader key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        <div role="rowgroup">
          {virtualizer.getVirtualItems().map(({ key, index, start, size }) => {
            const row = rows[index];
            const Whole = wholeOf?.(row) ?? null;
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                data-key={row.key}
                className={cx(styles.grid, styles.row)}
                style={{ height: size, transform: `translateY(${start}px)` }}
              >
                <Cells row={row} columns={columns} Whole={Whole} />
              </div>
            );
          })}
        </div>
      </div>
      {rows.length === 0 && <div className={styles.empty}>{empty}</div>}
    </div>
  );
}

interface CellsProps<Row> {
  row: Row;
  columns: ReadonlyArray<Column<Row, string>>;
  Whole: ComponentType<{ row: Row }> | null;
}

const Cells = memo(function Cells<Row>({ row, columns, Whole }: CellsProps<Row>) {
  const styles = useStyles2(getStyles);
  if (Whole) {
    return (
      <div role="cell" aria-colindex={1} aria-colspan={columns.length} className={cx(styles.cell, styles.whole)}>
        <Whole row={row} />
      </div>
    );
  }
  return (
    <>
      {columns.map(({ id, isNumeric, Cell }, at) => (
        <div key={id} role="cell" aria-colindex={at + 1} className={cx(styles.cell, isNumeric && styles.numeric)}>
          <Cell row={row} />
        </div>
      ))}
    </>
  );
}) as <Row>(props: CellsProps<Row>) => ReactNode & React.JSX.Element;

/** The rows in sight, and this one. */
function withIndex(range: Range, index: number): number[] {
  const inSight = defaultRangeExtractor(range);
  return index < 0 || inSight.includes(index) ? inSight : [...inSight, index].sort((one, other) => one - other);
}

function getStyles(theme: GrafanaTheme2) {
  const { colors } = theme;
  const focusRing = { outline: `2px solid ${colors.primary.border}`, outlineOffset: -2 };
  return {
    scroller: css({
      position: 'relative',
      flex: 1,
      minHeight: 0,
      overflowY: 'auto',
      overflowX: 'hidden',
      // A focused row must not hide beneath the header
      scrollPaddingTop: 'var(--asterpanel-header)',
      contain: 'strict',
      '&:focus-visible': focusRing,
    }),
    table: css({ position: 'relative', width: '100%' }),
    header: css({
      position: 'sticky',
      top: 0,
      zIndex: 1,
      height: 'var(--asterpanel-header)',
      background: colors.background.primary,
      borderBottom: `1px solid ${colors.border.medium}`,
      '& > *': { height: '100%' },
    }),
    grid: css({
      display: 'grid',
      gridTemplateColumns: 'var(--asterpanel-tracks)',
      columnGap: theme.spacing(1.5),
      alignItems: 'center',
      boxSizing: 'border-box',
      width: '100%',
      padding: theme.spacing(0, 1),
    }),
    row: css({
      position: 'absolute',
      top: 0,
      left: 0,
      borderBottom: `1px solid ${colors.border.weak}`,
      contain: 'layout style',
      '&:hover': { background: colors.action.hover },
      '&:focus-within': { background: colors.action.focus },
    }),
    cell: css({ display: 'flex', alignItems: 'center', minWidth: 0, overflow: 'hidden', whiteSpace: 'nowrap' }),
    whole: css({ gridColumn: '1 / -1' }),
    numeric: css({ justifyContent: 'flex-end', fontVariantNumeric: 'tabular-nums' }),
    empty: css({ padding: theme.spacing(2), color: colors.text.secondary }),
  };
}
