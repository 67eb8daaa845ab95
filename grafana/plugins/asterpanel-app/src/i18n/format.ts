import { currentLanguage } from './index';

const numberFormat = kept((language) => new Intl.NumberFormat(language));

const shareFormat = kept((language) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }));

const clockFormat = kept(
  (language, timeZone) =>
    new Intl.DateTimeFormat(language, {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZone,
    })
);

/**
 * A duration as a clock shows it: `0:07`, `12:34`, `1:02:03`, `27:00:00`.
 *
 * @param seconds - whole seconds are shown, cut off; less than none is none
 */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = twoDigits(whole % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/**
 * The time of day: `14:03:22`.
 *
 * @param time - Unix time in seconds
 * @param timeZone - of IANA; the browser's if left out
 */
export function formatClock(time: number, timeZone?: string): string {
  return clockFormat(currentLanguage(), timeZone).format(time * 1000);
}

/** A share from 0 to 1 in whole per cent, as the language writes it: `83%`. */
export function formatShare(share: number): string {
  return shareFormat(currentLanguage()).format(share);
}

/** A number as the language writes it: `1,234`. */
export function formatNumber(value: number): string {
  return numberFormat(currentLanguage()).format(value);
}

/** The form that goes with a number; both English and Italian have these two. */
export function plural(count: number, forms: { one: string; other: string }): string {
  return count === 1 ? forms.one : forms.other;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** Keeps what was made for the same arguments: making a format takes longer than all the rest of a row. */
function kept<F>(make: (language: string, timeZone?: string) => F): typeof make {
  const known = new Map<string, F>();
  return (language, timeZone) => {
    const key = `${language} ${timeZone ?? ''}`;
    const format = known.get(key) ?? make(language, timeZone);
    known.set(key, format);
    return format;
  };
}
