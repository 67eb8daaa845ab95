const compiled = new Map<string, RegExp>();

/**
 * Whether one of the shell patterns (`*`, `?`, `[abc]`, `[!abc]`) matches the whole name; the case of A to Z does
 * not matter. The same rule as `access/globs.py` of the control API, whose cases (contract/glob_cases.json) test
 * this one.
 */
export function matchesGlob(patterns: readonly string[], name: string): boolean {
  const text = asciiLower(name);
  return patterns.some((pattern) => pattern === '*' || expressionOf(pattern).test(text));
}

function expressionOf(pattern: string): RegExp {
  let expression = compiled.get(pattern);
  if (!expression) {
    expression = new RegExp(`^(?:${translated(asciiLower(pattern))})$`, 'su');
    compiled.set(pattern, expression);
  }
  return expression;
}

/** A to Z alone: `toLowerCase` makes one of names that are not the same to Asterisk. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** As a regular expression; see Python's `fnmatch.translate`. */
function translated(pattern: string): string {
  const characters = Array.from(pattern);
  const parts: string[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at++];
    if (character === '*') {
      parts.push('.*');
    } else if (character === '?') {
      parts.push('.');
    } else if (character === '[') {
      const end = closingBracket(characters, at);
      parts.push(end < 0 ? '\\[' : characterClass(characters.slice(at, end)));
      at = end < 0 ? at : end + 1;
    } else {
      parts.push(escaped(character));
    }
  }
  return parts.join('');
}

/** Where the set that begins here ends; -1 if it does not. A bracket in its first place is one of its members. */
function closingBracket(characters: string[], start: number): number {
  let first = start;
  if (characters[first] === '!') {
    first++;
  }
  return characters.indexOf(']', first + 1);
}

function characterClass(inner: string[]): string {
  const negated = inner[0] === '!';
  const members = ranges(negated ? inner.slice(1) : inner);
  if (members === '') {
    return negated ? '.' : '(?!)';
  }
  return `[${negated ? '^' : ''}${members}]`;
}

/** `a-c` is a range; one whose end comes before its begin has no members. */
function ranges(members: string[]): string {
  const parts: string[] = [];
  let at = 0;
  while (at < members.length) {
    const [from, dash, to] = members.slice(at, at + 3);
    if (dash === '-' && to !== undefined) {
      if (from.codePointAt(0)! <= to.codePointAt(0)!) {
        parts.push(`${escapedInClass(from)}-${escapedInClass(to)}`);
      }
      at += 3;
    } else {
      parts.push(escapedInClass(from));
      at += 1;
    }
  }
  return parts.join('');
}

function escaped(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function escapedInClass(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}
