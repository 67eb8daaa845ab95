/** Letters that are written from right to left, and characters that turn the direction. */
const TURNS = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Bidi_Control}]/u;
/** Those that begin and end a part with a direction of its own: one in the name could end ours. */
const ISOLATES = /[\u2066-\u2069]/g;

/**
 * A name, for use in a sentence: its direction of writing is its own, and does not turn what stands beside it. A name
 * that could not do that stays as it is.
 */
export function isolated(name: string): string {
  return TURNS.test(name) ? `\u2068${name.replace(ISOLATES, '')}\u2069` : name;
}

/** Names, with commas between them. */
export function listed(names: readonly string[]): string {
  return names.map(isolated).join(', ');
}
