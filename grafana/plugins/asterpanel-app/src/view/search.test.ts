import fc from 'fast-check';

import { matching, searchable } from './search';

const row = (...texts: string[]) => ({ searchable: searchable(...texts) });

describe('matching', () => {
  const rossi = row('Anna Rossi', '1001', 'Lunch', 'billing');
  const rows = [rossi, row('Niccolò De Santis', '1002', '', 'sales')];

  it.each([
    ['rossi', 0],
    ['  ROSSI ', 0],
    ['1001', 0],
    ['lun bill', 0],
    ['niccolo', 1],
    ['NICCOLÒ', 1],
    ['sales de', 1],
  ])('%p finds one', (typed, index) => {
    expect(matching(rows, typed)).toEqual([rows[index]]);
  });

  it('finds none if one of the words is nowhere', () => {
    expect(matching(rows, 'rossi sales')).toEqual([]);
  });

  it('does not find across the end of a text', () => {
    expect(matching(rows, '1001lunch')).toEqual([]);
  });

  it('gives the very same list back if nothing was typed', () => {
    expect(matching(rows, ' ')).toBe(rows);
  });

  it('finds every row by any piece of a word of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(), fc.nat(), (text, from, length) => {
        const word = searchable(text).split(/\s+/)[0];
        const start = from % (word.length + 1);
        const one = row('x', text);
        expect(matching([one], word.slice(start, start + (length % 5)))).toEqual([one]);
      })
    );
  });
});
