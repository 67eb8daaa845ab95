/** Grafana's own value of "All". */
const ALL = '$__all';

/** A switchboard's name, as the configuration allows it. */
const NAME = /^[a-z0-9][a-z0-9-]*$/;

/** What the user chose in the panel, and what the dashboard's variable was then. */
export interface Choice {
  switchboard: string;
  variable: string;
}

/** The switchboard to show; or why there is none: that the variable names is out of sight, or (null) none is in sight. */
export type Shown = { switchboard: string } | { switchboard: null; outOfSight: string | null };

/**
 * The switchboard to show. The dashboard's variable decides, if it names exactly one; a choice in the panel decides
 * for as long as the variable stays what it was then, such as "All"; else it is the first in sight. In place of one
 * that the variable names there is never another one: who looks at the dashboard would take it for that.
 *
 * @param inSight - names, in the order to show them in
 * @param variable - its value as JSON (`"milano"`, `["milano"]`) or alone (`milano`); not replaced if there is no such variable
 */
export function shownSwitchboard(inSight: readonly string[], variable: string, choice: Choice | null): Shown {
  if (choice?.variable === variable && inSight.includes(choice.switchboard)) {
    return { switchboard: choice.switchboard };
  }
  const named = namedBy(variable);
  if (named.length === 1) {
    return inSight.includes(named[0]) ? { switchboard: named[0] } : { switchboard: null, outOfSight: named[0] };
  }
  return inSight.length > 0 ? { switchboard: inSight[0] } : { switchboard: null, outOfSight: null };
}

/** The variable's bare name, of `switchboard`, `$switchboard` or `${switchboard}`. */
export function variableName(option: string): string {
  return /^\$?\{?(\w*)\}?$/.exec(option.trim())?.[1] ?? '';
}

/**
 * None, if there is no such variable (Grafana leaves its expression as it is), if nothing is selected, or if all are:
 * where the dashboard sets a value of its own for "All", such as `.*`, that comes without quotes.
 */
function namedBy(variable: string): string[] {
  if (NAME.test(variable)) {
    return [variable]; // Grafana 10 gives a single value without quotes
  }
  try {
    const value: unknown = JSON.parse(variable);
    const names = [value].flat().filter((name) => typeof name === 'string');
    return names.filter((name) => name !== '' && name !== ALL);
  } catch {
    return [];
  }
}
