import openapi from '../../contract/openapi.json';
import { meOf } from '../actions/testing';
import { ApiError } from '../api/ApiError';
import type { Connection } from '../api/types';
import { config as en } from '../i18n/en';
import { config as italian } from '../i18n/it';
import { Check, diagnose, Findings } from './diagnosis';

const NOW = 1_795_390_556;

function connectionOf(change: Partial<Connection> = {}, identity: Partial<Connection['identity']> = {}): Connection {
  return {
    tenant: 'default',
    now: NOW,
    version: '0.7.0',
    profiles: 2,
    switchboards: 1,
    exporter: { connected: true },
    ...change,
    identity: {
      accepted: ['id_token', 'context'],
      found: ['context'],
      believed: true,
      via: 'context',
      login: 'anna',
      ...identity,
    },
  };
}

function findingsOf(change: Partial<Findings> = {}): Findings {
  return {
    hasUrl: true,
    hasSecret: true,
    connection: { answer: connectionOf() },
    browserTime: NOW,
    me: { answer: meOf() },
    ...change,
  };
}

function failing(id: ApiError['id'], status: number, change: Partial<Findings> = {}): Findings {
  const error = new ApiError(id, status, 'said by the API');
  return findingsOf({ connection: { error }, me: { error }, ...change });
}

function unbelieved(identity: Partial<Connection['identity']>): Findings {
  const answer = connectionOf(
    { profiles: 0, switchboards: 0 },
    { believed: false, via: undefined, login: undefined, ...identity }
  );
  return findingsOf({ connection: { answer }, me: { error: new ApiError('unauthenticated', 401) } });
}

function checkOf(findings: Findings, id: Check['id']): Check {
  return diagnose(en, findings).find((check) => check.id === id)!;
}

function resultsOf(findings: Findings): Record<string, string> {
  return Object.fromEntries(diagnose(en, findings).map(({ id, is }) => [id, is]));
}

const ALL = ['api', 'secret', 'identity', 'clock', 'profiles', 'exporter', 'switchboards'];

it('is content when everything works', () => {
  const checks = diagnose(en, findingsOf());
  expect(checks.map(({ id, is, next }) => [id, is, next])).toEqual(ALL.map((id) => [id, 'ok', '']));
  expect(checkOf(findingsOf(), 'identity').words).toContain('anna');
  expect(checkOf(findingsOf(), 'switchboards').words).toBe('You see: milano.');
});

describe('the control API', () => {
  it.each([
    ['no address', failing('unreachable', 502, { hasUrl: false }), en.noUrlNext],
    ['down', failing('unreachable', 502), en.apiUnreachableNext],
    ['too slow', failing('unreachable', 504), en.apiUnreachableNext],
    ['browser offline', failing('unreachable', 0), en.grafanaUnreachableNext],
    ['app disabled, or another server', failing('not_configured', 404), en.notTheApiNext],
    ['signed out', failing('signed_out', 401), en.signedOutNext],
    ['older than the plugin', failing('not_found', 404), en.apiTooOldNext],
    ['error of its own', failing('internal', 500), en.apiErrorNext],
  ])('%s', (_, findings, next) => {
    expect(checkOf(findings, 'api')).toMatchObject({ is: 'failed', next });
    const rest = ALL.filter((id) => id !== 'api');
    expect(rest.map((id) => resultsOf(findings)[id])).toEqual(rest.map(() => 'unknown'));
  });

  it('tells the status that Grafana got', () => {
    expect(checkOf(failing('unreachable', 502), 'api').words).toContain('502');
  });
});

describe('the secret', () => {
  it('is wrong: the API is there, nothing else can be told', () => {
    expect(resultsOf(failing('unauthenticated', 401))).toMatchObject({
      api: 'ok',
      secret: 'failed',
      identity: 'unknown',
    });
    expect(checkOf(failing('unauthenticated', 401), 'secret').words).toBe(en.secretWrong);
  });

  it('is missing', () => {
    expect(checkOf(failing('unauthenticated', 401, { hasSecret: false }), 'secret').words).toBe(en.noSecret);
  });

  it('was wrong too often', () => {
    const error = new ApiError('too_many_requests', 429, '', { retry_after_s: 12 });
    expect(checkOf(findingsOf({ connection: { error } }), 'secret').next).toContain('12 s');
  });

  it.each([
    ['together with a user', unbelieved({ reason: 'token_with_identity' })],
    ['alone', findingsOf({ connection: { answer: connectionOf({}, { via: 'bearer', found: [] }) } })],
  ])('is a program’s token, %s', (_, findings) => {
    expect(checkOf(findings, 'secret')).toMatchObject({ is: 'failed', words: en.secretIsToken });
    expect(checkOf(findings, 'identity').is).toBe('failed');
  });
});

describe('the identity', () => {
  it('does not arrive: tells what is accepted, what arrives, and what to set', () => {
    const { is, words, next } = checkOf(
      unbelieved({ reason: 'no_identity', accepted: ['user_header'], found: ['context'] }),
      'identity'
    );
    expect(is).toBe('failed');
    expect(words).toContain('accepts: the user header (user_header)');
    expect(words).toContain('sends: the app proxy’s context header (context)');
    expect(next).toContain('send_user_header = true under [dataproxy]');
    expect(next).not.toContain('X-Grafana-Context');
  });

  it('does not arrive in any form', () => {
    const { words, next } = checkOf(unbelieved({ reason: 'no_identity', found: [] }), 'identity');
    expect(words).toContain('sends: nothing');
    expect(next).toContain('11.3');
    expect(next).toContain('X-Grafana-Context');
  });

  it.each(openapi.components.schemas.Reason.enum)('%s: says what to do next, in both languages', (reason) => {
    for (const texts of [en, italian]) {
      const findings = unbelieved({ reason: reason as Connection['identity']['reason'], found: [] });
      const check = diagnose(texts, findings).find(({ id }) => id === 'identity')!;
      expect(check.is).toBe('failed');
      expect(check.words).not.toBe('');
      expect(check.next).not.toBe('');
    }
  });

  it('that is not believed leaves profiles and switchboards untold, and the exporter told', () => {
    expect(resultsOf(unbelieved({ reason: 'other_org' }))).toMatchObject({
      api: 'ok',
      secret: 'ok',
      identity: 'failed',
      profiles: 'unknown',
      exporter: 'ok',
      switchboards: 'unknown',
    });
  });
});

describe('the clocks', () => {
  it.each([
    [0, 'ok'],
    [5, 'ok'],
    [6, 'warning'],
    [-6, 'warning'],
  ])('control API %d s ahead of the browser: %s', (ahead, is) => {
    expect(checkOf(findingsOf({ browserTime: NOW - ahead }), 'clock').is).toBe(is);
  });

  it('tells which one is ahead', () => {
    expect(checkOf(findingsOf({ browserTime: NOW - 42 }), 'clock').words).toContain('42 s ahead of');
    expect(checkOf(findingsOf({ browserTime: NOW + 42 }), 'clock').words).toContain('42 s behind');
  });

  it.each([
    [0, 'ok'],
    [600, 'ok'],
    [630, 'ok'],
    [631, 'failed'],
    [-5, 'ok'],
    [-6, 'warning'],
    [-30, 'warning'],
    [-31, 'failed'],
  ])('id token signed %d s ago: %s', (age, is) => {
    const answer = connectionOf({}, { clock_offset_s: age });
    expect(checkOf(findingsOf({ connection: { answer } }), 'clock').is).toBe(is);
  });
});

it('there is no profile for me', () => {
  const findings = findingsOf({ connection: { answer: connectionOf({ profiles: 0, switchboards: 0 }) } });
  expect(checkOf(findings, 'profiles')).toMatchObject({ is: 'failed', words: en.noProfile });
  expect(checkOf(findings, 'profiles').next).toContain('add anna');
  expect(checkOf(findings, 'switchboards').is).toBe('unknown');
});

it('the exporter is away', () => {
  const findings = findingsOf({ connection: { answer: connectionOf({ exporter: { connected: false } }) } });
  expect(checkOf(findings, 'exporter')).toMatchObject({ is: 'failed', next: en.exporterAwayNext });
});

it('no switchboard is in sight', () => {
  const findings = findingsOf({ connection: { answer: connectionOf({ switchboards: 0 }) } });
  expect(checkOf(findings, 'switchboards')).toMatchObject({ is: 'warning', next: en.noSwitchboardNext });
});

it('who I am cannot be told although I am believed', () => {
  const findings = findingsOf({ me: { error: new ApiError('internal', 500, 'a mistake of ours') } });
  expect(checkOf(findings, 'switchboards')).toMatchObject({ is: 'failed', words: en.apiError('a mistake of ours') });
});
