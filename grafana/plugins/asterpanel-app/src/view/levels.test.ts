import { statusOf } from './levels';

const RISING = { warning: 60, critical: 180 };
const FALLING = { warning: 0.8, critical: 0.7 };

describe('statusOf', () => {
  it.each([
    [59, RISING, 'ok'],
    [60, RISING, 'warning'],
    [180, RISING, 'critical'],
    [0.8, FALLING, 'ok'],
    [0.79, FALLING, 'warning'],
    [0.69, FALLING, 'critical'],
    [null, RISING, 'ok'],
    [1000, undefined, 'ok'],
  ])('%p by %p is %s', (value, levels, status) => {
    expect(statusOf(value, levels)).toBe(status);
  });
});
