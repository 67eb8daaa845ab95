import { formatClock, formatDuration, plural } from './format';

describe('formatDuration', () => {
  it.each([
    [0, '0:00'],
    [7.9, '0:07'],
    [59.999, '0:59'],
    [60, '1:00'],
    [754, '12:34'],
    [3600, '1:00:00'],
    [3723, '1:02:03'],
    [97_200, '27:00:00'],
    [-3, '0:00'],
  ])('%d s is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('formatClock', () => {
  it('is the time of day where that is', () => {
    expect(formatClock(1795390556.9, 'Europe/Rome')).toBe('00:35:56');
    expect(formatClock(1795390556.9, 'Asia/Kolkata')).toBe('05:05:56');
  });
});

describe('plural', () => {
  it.each([
    [0, 'calls'],
    [1, 'call'],
    [2, 'calls'],
  ])('%d: %s', (count, form) => {
    expect(plural(count, { one: 'call', other: 'calls' })).toBe(form);
  });
});
