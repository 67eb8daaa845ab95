import fc from 'fast-check';

import { nameCollator, nameRanks, sorted, toggled } from './sorting';

interface Row {
  key: string;
  name: string;
  figure: number;
}

const rowsOf = fc.uniqueArray(
  fc.record({ key: fc.string(), name: fc.constantFrom('anna', 'Anna', 'Ànna', 'b2', 'b10', ''), figure: fc.nat(3) }),
  { selector: ({ key }) => key }
);

const keys = (rows: readonly Row[]) => rows.map(({ key }) => key);
const ranksOf = (rows: Row[]) => nameRanks(nameCollator('it'))(rows);

describe('sorted', () => {
  it('goes by the figure first, and then by name, whichever way the figure goes', () => {
    const rows = [
      { key: '1', name: 'Carla', figure: 1 },
      { key: '2', name: 'anna', figure: 2 },
      { key: '3', name: 'Bruno', figure: 1 },
    ];
    expect(keys(sorted(rows, ({ figure }) => figure, 'ascending', ranksOf(rows)))).toEqual(['3', '1', '2']);
    expect(keys(sorted(rows, ({ figure }) => figure, 'descending', ranksOf(rows)))).toEqual(['2', '3', '1']);
  });

  it('goes by name as people do: letters without case and accents, numbers by their value', () => {
    const rows = ['queue 10', 'Èlena', 'queue 9', 'elena', 'Zoe'].map((name) => ({ key: name, name, figure: 0 }));
    expect(keys(sorted(rows, null, 'ascending', ranksOf(rows)))).toEqual([
      'elena',
      'Èlena',
      'queue 9',
      'queue 10',
      'Zoe',
    ]);
  });

  it('puts endless figures at the end', () => {
    const rows = [-Infinity, 5, Infinity, -Infinity].map((figure, at) => ({ key: `${at}`, name: `${at}`, figure }));
    expect(keys(sorted(rows, ({ figure }) => figure, 'ascending', ranksOf(rows)))).toEqual(['0', '3', '1', '2']);
  });

  it('gives the same order however the rows came, and loses none', () => {
    fc.assert(
      fc.property(
        rowsOf,
        fc.constantFrom('ascending' as const, 'descending' as const),
        fc.boolean(),
        (rows, way, byName) => {
          const figure = byName ? null : (row: Row) => row.figure;
          const order = keys(sorted(rows, figure, way, ranksOf(rows)));
          const backwards = [...rows].reverse();
          expect(keys(sorted(backwards, figure, way, ranksOf(backwards)))).toEqual(order);
          expect([...order].sort()).toEqual(keys(rows).sort());
        }
      )
    );
  });
});

describe('nameRanks', () => {
  it('is asked of the language only when a name changes', () => {
    const collator = nameCollator('en');
    const compare = jest.fn(collator.compare);
    const ranks = nameRanks({ ...collator, compare } as Intl.Collator);
    const rows = [
      { key: '1', name: 'Anna' },
      { key: '2', name: 'Bruno' },
    ];
    const first = ranks(rows);
    const asked = compare.mock.calls.length;
    expect(ranks(rows.map((row) => ({ ...row })).reverse())).toBe(first);
    expect(compare).toHaveBeenCalledTimes(asked);
    expect(ranks([{ key: '1', name: 'Zoe' }, rows[1]]).get('1')).toBe(1);
  });
});

describe('toggled', () => {
  it('turns the same column round, and begins another one its own way', () => {
    const sort = { by: 'name', direction: 'ascending' } as const;
    expect(toggled(sort, 'name', 'ascending')).toEqual({ by: 'name', direction: 'descending' });
    expect(toggled(toggled(sort, 'name', 'ascending'), 'name', 'ascending')).toEqual(sort);
    expect(toggled(sort, 'time', 'descending')).toEqual({ by: 'time', direction: 'descending' });
  });
});
