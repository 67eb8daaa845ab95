import { MAX_REASON_BYTES, problemOfText, TextProblem } from '../actions/actionText';
import { ownAgent } from '../access/rights';
import type { Me } from '../api/types';

/** What a link, or a button, wants to do to one's own agent; never done without a confirmation. */
export type Intent = { action: 'pause'; reason: string } | { action: 'unpause' };

/** Why a link cannot be followed as it is. */
export type LinkProblem =
  | { is: 'twice'; parameter: string }
  | { is: 'unknown_switchboard' | 'no_agent_there'; switchboard: string }
  | { is: 'unknown_action'; action: string }
  | { is: 'unknown_reason'; reason: string }
  | { is: 'no_reason' }
  | { is: 'bad_reason'; problem: TextProblem };

/** What a link to the page asks for. */
export interface DeepLink {
  /** The switchboard that it names, if I am an agent there; null: it names none that is of use. */
  switchboard: string | null;
  intent: Intent | null;
  problems: LinkProblem[];
}

/**
 * What a link like `?switchboard=milano&action=pause&reason=Lunch` asks for. A link with anything wrong in it asks
 * for nothing, but says what is wrong: it may have been written for another switchboard, or long ago.
 *
 * @param search - the query of the page's address; parameters of others (such as Grafana's `kiosk`) are left alone
 */
export function parseDeepLink(search: string, me: Me): DeepLink {
  const parameters = new URLSearchParams(search);
  const { switchboard, problem } = switchboardOf(parameters.get('switchboard') ?? '', me);
  const action = parameters.get('action') ?? '';
  const asked = intentOf(action, parameters.get('reason')?.trim() ?? '', me.pause_reasons);
  const problems = [...namedTwice(parameters), ...(problem ? [problem] : []), ...asked.problems];
  return { switchboard, intent: problems.length === 0 ? asked.intent : null, problems };
}

function namedTwice(parameters: URLSearchParams): LinkProblem[] {
  return ['switchboard', 'action', 'reason']
    .filter((parameter) => parameters.getAll(parameter).length > 1)
    .map((parameter) => ({ is: 'twice', parameter }));
}

function switchboardOf(name: string, me: Me): { switchboard: string | null; problem?: LinkProblem } {
  if (name === '') {
    return { switchboard: null };
  }
  if (!me.switchboards.some((board) => board.name === name)) {
    return { switchboard: null, problem: { is: 'unknown_switchboard', switchboard: name } };
  }
  return ownAgent(me, name)
    ? { switchboard: name }
    : { switchboard: null, problem: { is: 'no_agent_there', switchboard: name } };
}

function intentOf(action: string, reason: string, reasons: string[]): Pick<DeepLink, 'intent' | 'problems'> {
  switch (action) {
    case '':
      return { intent: null, problems: [] };
    case 'pause': {
      const problem = problemOfReason(reason, reasons);
      return { intent: { action, reason }, problems: problem ? [problem] : [] };
    }
    case 'unpause':
      return { intent: { action }, problems: [] };
    default:
      return { intent: null, problems: [{ is: 'unknown_action', action }] };
  }
}

function problemOfReason(reason: string, reasons: string[]): LinkProblem | null {
  if (reasons.length > 0) {
    return reasons.includes(reason) ? null : reason ? { is: 'unknown_reason', reason } : { is: 'no_reason' };
  }
  const problem = problemOfText(reason, MAX_REASON_BYTES);
  return problem && { is: 'bad_reason', problem };
}
