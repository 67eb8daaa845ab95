interface Made<Parts, Row> {
  parts: Parts;
  row: Row;
}

/** What a row is made of, by its key. */
export type Ingredients<Parts> = Iterable<readonly [key: string, parts: Parts]>;

/**
 * Makes rows and keeps them: a row is the same object as before for as long as all that it is made of is, and so
 * is the whole list. A change of one agent in 2,000 then makes one new row, and one row is drawn again.
 *
 * @param make - a pure function
 */
export function rowCache<Parts extends readonly unknown[], Row>(
  make: (key: string, ...parts: Parts) => Row
): (ingredients: Ingredients<Parts>) => readonly Row[] {
  let known = new Map<string, Made<Parts, Row>>();
  let list: readonly Row[] = [];
  return (ingredients) => {
    const next = new Map<string, Made<Parts, Row>>();
    for (const [key, parts] of ingredients) {
      const before = known.get(key);
      next.set(key, before && isSame(before.parts, parts) ? before : { parts, row: make(key, ...parts) });
    }
    known = next;
    const rows = Array.from(next.values(), ({ row }) => row);
    list = isSame(list, rows) ? list : rows;
    return list;
  };
}

/** Whether two lists hold the same objects, in the same order. */
function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, at) => Object.is(item, other[at]));
}
