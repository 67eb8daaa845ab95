/** Asterisk counts bytes, and would cut inside a character. */
export const MAX_REASON_BYTES = 79;
export const MAX_INFO_BYTES = 200;

/** Why a text must not be sent to a switchboard. */
export type TextProblem = { is: 'too_long'; bytes: number; most: number } | { is: 'character'; code: string };

/**
 * What must not be in a text for a switchboard (`requests.py` of the control API): control characters and other
 * ends of lines, what turns the direction of text around, the byte order mark, the dividers of queue_log and of
 * Asterisk's own database, and halves of surrogate pairs.
 */
const FORBIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff|;]|\p{Surrogate}/u;

/**
 * What is wrong with a text for a switchboard, such as a pause reason; null: nothing.
 *
 * @param text - as it is to be sent
 * @param most - how many bytes of UTF-8 there may be
 */
export function problemOfText(text: string, most: number): TextProblem | null {
  const character = FORBIDDEN.exec(text)?.[0];
  if (character !== undefined) {
    return { is: 'character', code: codeOf(character) };
  }
  const bytes = new TextEncoder().encode(text).length;
  return bytes > most ? { is: 'too_long', bytes, most } : null;
}

/** The character's name to those who must find it: `U+200E`. */
function codeOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
