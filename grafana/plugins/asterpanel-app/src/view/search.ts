/** Text as it is searched: without case, accents and the like. */
export function searchable(...texts: string[]): string {
  return texts
    .join('\n')
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}

/**
 * Those rows that have every word of what was typed somewhere in their text; the same list if nothing was typed.
 *
 * @param typed - as typed
 */
export function matching<Row extends { searchable: string }>(rows: readonly Row[], typed: string): readonly Row[] {
  const words = searchable(typed)
    .split(/\s+/)
    .filter((word) => word !== '');
  return words.length === 0 ? rows : rows.filter((row) => words.every((word) => row.searchable.includes(word)));
}
