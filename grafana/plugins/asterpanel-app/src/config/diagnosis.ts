import type { ApiError } from '../api/ApiError';
import type { Connection, Me } from '../api/types';
import type { Texts } from '../i18n';

type ConfigTexts = Texts['config'];
type Identity = Connection['identity'];
type Form = Identity['accepted'][number];

/** From how many seconds on it is told that two clocks differ. */
export const CLOCKS_DIFFER_S = 5;
/** Ages of an id token, in seconds, that the control API takes: Grafana hands one on for up to ten minutes. */
export const TOKEN_AGES_S = { least: -30, most: 630 } as const;

/** What a request came to. */
export type Probe<T> = { answer: T } | { error: ApiError };

/** What the test of the connection found. */
export interface Findings {
  /** Whether there is an address of the control API, and a secret, as saved. */
  hasUrl: boolean;
  hasSecret: boolean;
  connection: Probe<Connection>;
  /** What the browser's clock showed in the middle of that request: Unix seconds. */
  browserTime: number;
  me: Probe<Me>;
}

/** One thing that has to be so. */
export interface Check {
  id: 'api' | 'secret' | 'identity' | 'clock' | 'profiles' | 'exporter' | 'switchboards';
  /** `unknown`: that cannot be told before what is above it is right. */
  is: 'ok' | 'warning' | 'failed' | 'unknown';
  /** How it is. */
  words: string;
  /** What to do next; empty: nothing. */
  next: string;
}

/** What works of the way from Grafana to the switchboards, what does not, and what to do about it. */
export function diagnose(texts: ConfigTexts, findings: Findings): Check[] {
  const { connection } = findings;
  if ('error' in connection) {
    const api = apiCheck(texts, findings, connection.error);
    const secret = secretCheck(texts, findings, connection.error);
    const rest = (['identity', 'clock', 'profiles', 'exporter', 'switchboards'] as const).map((id) =>
      notTold(texts, id)
    );
    return [api, secret, ...rest];
  }
  const { answer } = connection;
  return [
    ok('api', texts.apiOk(answer.version)),
    routeSecretCheck(texts, answer),
    identityCheck(texts, answer.identity),
    clockCheck(texts, answer, findings.browserTime),
    profilesCheck(texts, answer),
    answer.exporter.connected
      ? ok('exporter', texts.exporterOk)
      : failed('exporter', texts.exporterAway, texts.exporterAwayNext),
    switchboardsCheck(texts, answer, findings.me),
  ];
}

// --- without an answer ------------------------------------------------------------------------------------

function apiCheck(texts: ConfigTexts, { hasUrl }: Findings, error: ApiError): Check {
  if (!hasUrl) {
    return failed('api', texts.noUrl, texts.noUrlNext);
  }
  switch (error.id) {
    case 'unauthenticated':
    case 'too_many_requests':
      return ok('api', texts.apiAnswers);
    case 'unreachable':
      return error.status === 0
        ? failed('api', texts.grafanaUnreachable, texts.grafanaUnreachableNext)
        : failed('api', texts.apiUnreachable(error.status), texts.apiUnreachableNext);
    case 'not_configured':
      return failed('api', texts.notTheApi(error.status), texts.notTheApiNext);
    case 'signed_out':
      return failed('api', texts.signedOut, texts.signedOutNext);
    case 'not_found':
    case 'method_not_allowed':
      return failed('api', texts.apiTooOld, texts.apiTooOldNext);
    default:
      return failed('api', texts.apiError(error.message), texts.apiErrorNext);
  }
}

function secretCheck(texts: ConfigTexts, { hasSecret }: Findings, error: ApiError): Check {
  if (!hasSecret) {
    return failed('secret', texts.noSecret, texts.secretNext);
  }
  switch (error.id) {
    case 'unauthenticated':
      return failed('secret', texts.secretWrong, texts.secretNext);
    case 'too_many_requests':
      return failed('secret', texts.tooManySecrets, texts.tooManySecretsNext(error.detail.retry_after_s ?? 60));
    default:
      return notTold(texts, 'secret');
  }
}

// --- with one ---------------------------------------------------------------------------------------------

function routeSecretCheck(texts: ConfigTexts, { tenant, identity }: Connection): Check {
  const isToken = identity.via === 'bearer' || identity.reason === 'token_with_identity';
  return isToken ? failed('secret', texts.secretIsToken, texts.secretNext) : ok('secret', texts.secretOk(tenant));
}

function identityCheck(texts: ConfigTexts, identity: Identity): Check {
  if (identity.believed) {
    const via = identity.via ? texts.forms[identity.via] : '';
    return identity.via === 'bearer'
      ? failed('identity', texts.identityProgram, texts.secretNext)
      : ok('identity', texts.identityOk(identity.login ?? '', via));
  }
  const reason = identity.reason ?? 'internal';
  const { what, next } = texts.reasons[reason];
  if (reason !== 'no_identity') {
    return failed('identity', what, next);
  }
  const words = `${what} ${texts.formsAccepted(named(texts, identity.accepted))} ${texts.formsFound(named(texts, identity.found))}`;
  return failed('identity', words, waysToIdentity(texts, identity.accepted));
}

function named(texts: ConfigTexts, forms: Form[]): string {
  return forms.map((form) => texts.forms[form]).join(', ') || texts.noForm;
}

/** How each of the accepted forms comes to be sent. */
function waysToIdentity(texts: ConfigTexts, accepted: Form[]): string {
  return accepted
    .map((form) => texts.formsNext[form])
    .filter(Boolean)
    .join(' ');
}

function clockCheck(texts: ConfigTexts, { now, identity }: Connection, browserTime: number): Check {
  const ofBrowser = now - browserTime;
  const age = identity.clock_offset_s;
  if (age !== undefined && (age < TOKEN_AGES_S.least || age > TOKEN_AGES_S.most)) {
    return failed('clock', texts.tokenClock(whole(age)), texts.clockNext);
  }
  if (age !== undefined && age < -CLOCKS_DIFFER_S) {
    return warning('clock', texts.tokenClock(whole(age)), texts.clockNext);
  }
  if (Math.abs(ofBrowser) > CLOCKS_DIFFER_S) {
    return warning('clock', texts.browserClock(whole(ofBrowser)), texts.clockNext);
  }
  return ok('clock', texts.clockOk);
}

function whole(seconds: number): number {
  return Math.round(seconds);
}

function profilesCheck(texts: ConfigTexts, { identity, profiles }: Connection): Check {
  if (!identity.believed) {
    return notTold(texts, 'profiles');
  }
  return profiles > 0
    ? ok('profiles', texts.profilesOk(profiles))
    : failed('profiles', texts.noProfile, texts.noProfileNext(identity.login ?? ''));
}

function switchboardsCheck(texts: ConfigTexts, { identity, profiles, switchboards }: Connection, me: Probe<Me>): Check {
  if (!identity.believed || profiles === 0) {
    return notTold(texts, 'switchboards');
  }
  if ('error' in me) {
    return failed('switchboards', texts.apiError(me.error.message), texts.apiErrorNext);
  }
  return switchboards > 0
    ? ok('switchboards', texts.switchboardsOk(me.answer.switchboards.map(({ name }) => name).join(', ')))
    : warning('switchboards', texts.noSwitchboard, texts.noSwitchboardNext);
}

function ok(id: Check['id'], words: string): Check {
  return { id, is: 'ok', words, next: '' };
}

function warning(id: Check['id'], words: string, next: string): Check {
  return { id, is: 'warning', words, next };
}

function failed(id: Check['id'], words: string, next: string): Check {
  return { id, is: 'failed', words, next };
}

function notTold(texts: ConfigTexts, id: Check['id']): Check {
  return { id, is: 'unknown', words: texts.notTold, next: '' };
}
