/** The largest number that Asterisk reads as what it is; penalties and priorities are such numbers. */
export const MAX_NUMBER = 2 ** 31 - 1;

/** The whole number that a text is; null if it is none, or out of bounds. */
export function wholeNumber(text: string, least: number, most = MAX_NUMBER): number | null {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return /^[+-]?\d+$/.test(trimmed) && value >= least && value <= most ? value : null;
}
