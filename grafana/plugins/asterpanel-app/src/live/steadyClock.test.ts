import { steadyClock } from './steadyClock';

let wall = 0;
let steady = 0;

beforeEach(() => {
  wall = 1_795_390_000_000;
  steady = 500;
  jest.spyOn(Date, 'now').mockImplementation(() => wall);
  jest.spyOn(performance, 'now').mockImplementation(() => steady);
});

afterEach(() => jest.restoreAllMocks());

/** What the clock goes forward by while these pass. */
function passed(change: { wall: number; steady: number }, now = steadyClock()): number {
  const before = now();
  wall += change.wall;
  steady += change.steady;
  return now() - before;
}

describe('steadyClock', () => {
  it.each([
    ['both go on', { wall: 2_000, steady: 2_000 }, 2_000],
    ['the steady one stood still in a sleep', { wall: 3_600_000, steady: 0 }, 3_600_000],
    ['the wall clock was set back', { wall: -3_600_000, steady: 2_000 }, 2_000],
    ['the wall clock only ticks by whole milliseconds', { wall: 1, steady: 0.2 }, 0.2],
  ])('%s', (_, change, expected) => {
    expect(passed(change)).toBeCloseTo(expected, 6);
  });

  it('tells of a sleep also after the wall clock was set back', () => {
    const now = steadyClock();
    passed({ wall: -7_200_000, steady: 0 }, now);
    expect(passed({ wall: 60_000, steady: 0 }, now)).toBe(60_000);
  });
});
