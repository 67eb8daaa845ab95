import { queuePattern } from './queuePattern';

describe('queuePattern', () => {
  it.each([
    ['', 'anything', true],
    ['  ', 'anything', true],
    ['sales-*', 'Sales-it', true],
    ['sales-*', 'presales-it', false],
    ['sales-* , billing', 'billing', true],
    ['billing,', 'sales', false],
    ['/sales/', 'PRESALES', true],
    ['/^sales/', 'presales', false],
    ['/^(sales|billing)$/', 'billing', true],
    ['/a,b/', 'a,b', true],
  ])('%p on %p: %p', (option, queue, matches) => {
    const pattern = queuePattern(option);
    expect(pattern.error).toBeNull();
    expect(pattern.matches(queue)).toBe(matches);
  });

  it('says what is wrong with a regular expression, and leaves nobody out', () => {
    const pattern = queuePattern('/sales(/');
    expect(pattern.error).toMatch(/group/i);
    expect(pattern.matches('billing')).toBe(true);
  });
});
