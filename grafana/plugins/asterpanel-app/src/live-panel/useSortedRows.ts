import { useMemo, useState } from 'react';

import { currentLanguage } from '../i18n';
import { matching } from '../view/search';
import { Direction, nameCollator, nameRanks, Sort, Sortable, sorted, toggled } from '../view/sorting';

/** The rows that match what was typed, sorted; and what a table needs to show that and to change it. */
interface SortedRows<Row, By extends string> {
  shown: readonly Row[];
  sort: Sort<By>;
  onSort(by: By, first: Direction): void;
}

/**
 * Rows as they are searched and sorted in a table.
 *
 * @param figures - what each column sorts by; null: the name
 * @param first - how they are sorted at first
 */
export function useSortedRows<Row extends Sortable & { searchable: string }, By extends string>(
  rows: readonly Row[],
  typed: string,
  figures: Record<By, ((row: Row) => number) | null>,
  first: () => Sort<By>
): SortedRows<Row, By> {
  const [sort, setSort] = useState(first);
  const [ranksOf] = useState(() => nameRanks(nameCollator(currentLanguage())));
  const shown = useMemo(
    () => sorted(matching(rows, typed), figures[sort.by], sort.direction, ranksOf(rows)),
    [rows, typed, figures, sort, ranksOf]
  );
  return { shown, sort, onSort: (by, way) => setSort(toggled(sort, by, way)) };
}
