import { rowCache } from './rowCache';

const makeRows = () => rowCache((key: string, part: object) => ({ key, part }));

describe('rowCache', () => {
  it('keeps the row of whatever is the same object, and makes the others anew', () => {
    const [anna, bruno] = [{ name: 'Anna' }, { name: 'Bruno' }];
    const rows = makeRows();
    const before = rows([
      ['1', [anna]],
      ['2', [bruno]],
    ]);
    const after = rows([
      ['1', [anna]],
      ['2', [{ name: 'Bruno B.' }]],
    ]);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  it('keeps the list itself while no row is another one', () => {
    const anna = { name: 'Anna' };
    const rows = makeRows();
    expect(rows([['1', [anna]]])).toBe(rows([['1', [anna]]]));
  });

  it('makes the row of a key that went and came back anew, and forgets what went', () => {
    const anna = {};
    const rows = makeRows();
    const [before] = rows([['1', [anna]]]);
    expect(rows([])).toEqual([]);
    expect(rows([['1', [anna]]])[0]).not.toBe(before);
  });

  it('knows keys that every object has', () => {
    const part = {};
    expect(makeRows()([['__proto__', [part]]])).toEqual([{ key: '__proto__', part }]);
  });
});
