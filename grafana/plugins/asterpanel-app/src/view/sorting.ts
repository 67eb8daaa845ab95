/** What every row has that can be sorted. */
export interface Sortable {
  key: string;
  name: string;
}

export type Direction = 'ascending' | 'descending';

/** By which column a table is sorted. */
export interface Sort<By extends string = string> {
  by: By;
  direction: Direction;
}

/** Place of each row in the order of names, by key. */
export type Ranks = ReadonlyMap<string, number>;

/**
 * Ranks rows by name, as the language sorts, numbers by their value; equal names by key. Asking a language is slow
 * (20 ms for 2,000 names), and names seldom change: the ranks are kept until one does.
 */
export function nameRanks(collator: Intl.Collator): (rows: readonly Sortable[]) => Ranks {
  let names: ReadonlyMap<string, string> = new Map();
  let ranks: Ranks = new Map();
  return (rows) => {
    if (rows.length !== names.size || rows.some(({ key, name }) => names.get(key) !== name)) {
      names = new Map(rows.map(({ key, name }) => [key, name]));
      ranks = new Map(byName(rows, collator).map(({ key }, at) => [key, at]));
    }
    return ranks;
  };
}

/** A collator for names of agents and queues. */
export function nameCollator(language: string): Intl.Collator {
  return new Intl.Collator(language, { numeric: true, sensitivity: 'base' });
}

/**
 * The rows in order of a figure; equals by name, which is always ascending, so that the order is the same
 * however they came.
 *
 * @param figure - by which; null: by name
 */
export function sorted<Row extends Sortable>(
  rows: readonly Row[],
  figure: ((row: Row) => number) | null,
  direction: Direction,
  ranks: Ranks
): Row[] {
  const sign = direction === 'ascending' ? 1 : -1;
  const rank = (row: Row) => ranks.get(row.key) ?? ranks.size;
  const figureOf = figure ?? rank;
  return rows
    .map((row) => ({ row, figure: figureOf(row), rank: rank(row) }))
    .sort((one, other) => sign * compare(one.figure, other.figure) || one.rank - other.rank)
    .map(({ row }) => row);
}

/** The sort after a click on a column's header: the other way round, or its own first way. */
export function toggled<By extends string>(sort: Sort<By>, by: By, first: Direction): Sort<By> {
  if (sort.by !== by) {
    return { by, direction: first };
  }
  return { by, direction: sort.direction === 'ascending' ? 'descending' : 'ascending' };
}

function byName(rows: readonly Sortable[], collator: Intl.Collator): Sortable[] {
  return [...rows].sort((one, other) => collator.compare(one.name, other.name) || (one.key < other.key ? -1 : 1));
}

/** Not by subtraction: figures may be infinite. */
function compare(one: number, other: number): number {
  return one < other ? -1 : Number(one > other);
}
