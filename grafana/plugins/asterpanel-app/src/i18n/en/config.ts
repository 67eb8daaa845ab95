import { plural } from '../format';

const seconds = (count: number) => `${Math.abs(count)} s`;

/** What is wrong, and what to do next. */
interface Words {
  what: string;
  next: string;
}

/** Words of the app's configuration page. */
export const config = {
  tab: 'Configuration',
  settings: 'Control API',
  url: 'API URL',
  urlHelp: 'Root address of the control API, as Grafana’s server reaches it. Every Viewer can read it.',
  urlPlaceholder: 'http://127.0.0.1:9978',
  secret: 'Route secret',
  secretHelp:
    'The secret in the file that control_api.tenants.<tenant>.route_secret_file names. Grafana keeps it encrypted, and never shows it again.',
  provisioned: 'If a provisioning file sets up this app, it overwrites what is saved here when Grafana starts.',
  save: 'Save',
  saveAndEnable: 'Save and enable',
  saved: 'Saved.',
  saveFailed: 'It was not saved',
  saveFailedNext: 'Only administrators may save. If you are one, Grafana’s log tells more.',

  urlProblems: {
    empty: 'Enter the address of the control API.',
    not_a_url: 'This is no address. It begins with http:// or https://, and has no blanks: http://127.0.0.1:9978',
    not_http: 'The address must begin with http:// or https://.',
    credentials: 'Leave out user and password: the secret goes into the field below.',
    query: 'Leave out everything from ? or # on.',
    with_v1: 'Leave out /v1 at the end: only the root address is wanted.',
  },
  secretProblems: {
    too_short: 'Too short: the secret has at least 16 characters.',
    characters: 'The secret has only letters, digits and signs of ASCII, and no blanks.',
  },

  test: 'Test the connection',
  testing: 'Testing…',
  testHelp: 'Goes the same way as every user’s requests, with what is saved.',
  saveFirst: 'What you have typed is not saved yet: save it first.',
  checks: 'Checks',
  allOk: 'Everything works.',
  notAllOk: (count: number) =>
    `${count} ${plural(count, { one: 'check needs', other: 'checks need' })} your attention.`,
  results: {
    ok: 'Works',
    warning: 'Doubtful',
    failed: 'Fails',
    unknown: 'Not tested',
  },
  names: {
    api: 'Control API',
    secret: 'Secret',
    identity: 'Identity',
    clock: 'Clocks',
    profiles: 'Profiles',
    exporter: 'Exporter',
    switchboards: 'Switchboards',
  },
  notTold: 'Cannot be told before what is above works.',

  apiOk: (version: string) => `Grafana reaches it. Version ${version}.`,
  apiAnswers: 'Grafana reaches it.',
  noUrl: 'No address is saved.',
  noUrlNext: 'Enter the API URL and save it.',
  grafanaUnreachable: 'The browser does not reach Grafana.',
  grafanaUnreachableNext: 'Look at your network, then test again.',
  apiUnreachable: (status: number) => `Grafana’s server gets no answer at this address (HTTP ${status}).`,
  apiUnreachableNext:
    'See whether the control API runs (systemctl status asterpanel-control-api, or the container), whether it listens where Grafana’s server can reach it (control_api.listen), and whether host and port are right. Grafana’s log names the cause.',
  notTheApi: (status: number) => `It is not the control API that answers (HTTP ${status}).`,
  notTheApiNext:
    'Enable the app, if it is disabled. If it is enabled, something else listens at this address: enter the control API’s.',
  signedOut: 'Grafana does not know any more who you are, or something else than the control API answers (HTTP 401).',
  signedOutNext: 'Sign in again, and test again; then look at the address.',
  apiTooOld: 'Grafana reaches it, but it does not know the connection test: it is older than this plugin.',
  apiTooOldNext: 'Update Asterpanel’s services to the plugin’s version.',
  apiError: (message: string) => `It answers with an error: ${message}`,
  apiErrorNext: 'The control API’s log tells more.',

  secretOk: (tenant: string) => `Right; it is the secret of the tenant “${tenant}”.`,
  noSecret: 'No secret is saved.',
  secretWrong: 'The control API does not know this secret.',
  secretIsToken: 'This is a program’s token, not the secret of a route.',
  secretNext:
    'Enter the content of the file that control_api.tenants.<tenant>.route_secret_file names, and save it. (The control API reads the file when it starts.)',
  tooManySecrets: 'Too many wrong secrets came in a short time; the control API takes none for now.',
  tooManySecretsNext: (wait: number) => `Wait ${wait} s, then test again.`,

  identityOk: (login: string, via: string) => `You are ${login}, by ${via}.`,
  identityProgram: 'The control API takes Grafana for a program.',
  formsAccepted: (names: string) => `The control API accepts: ${names}.`,
  formsFound: (names: string) => `Grafana sends: ${names}.`,
  noForm: 'nothing',
  forms: {
    id_token: 'Grafana’s signed id token (id_token)',
    context: 'the app proxy’s context header (context)',
    user_header: 'the user header (user_header)',
    bearer: 'a program’s token',
  },
  formsNext: {
    id_token:
      'For id_token: Grafana 11.3 or later signs it by itself; for an older one, add context to the tenant’s grafana.identity in asterpanel.yml.',
    context:
      'For context: Grafana’s app proxy always sends X-Grafana-Context; see whether something between Grafana and the control API removes it.',
    user_header: 'For user_header: set send_user_header = true under [dataproxy] in grafana.ini, and restart Grafana.',
    bearer: '',
  },
  reasons: {
    no_credentials: {
      what: 'No secret arrives.',
      next: 'See whether something between Grafana and the control API removes the Authorization header.',
    },
    unknown_secret: { what: 'The secret is not known.', next: 'Enter the route’s secret again.' },
    token_expired: { what: 'The secret is a program’s token that has expired.', next: 'Enter the route’s secret.' },
    tokens_unreadable: {
      what: 'The control API cannot read its file of tokens.',
      next: 'asterpanel-control-api check tells what is wrong with it.',
    },
    token_with_identity: {
      what: 'The secret is a program’s token: together with a user it is refused.',
      next: 'Enter the route’s secret.',
    },
    no_identity: { what: 'It does not arrive who you are.', next: '' },
    invalid_id_token: {
      what: 'Grafana’s id token is not believed.',
      next: 'Enter Grafana’s root_url as the tenant’s grafana.url in asterpanel.yml, exactly as in grafana.ini, and see whether both clocks are right. The control API’s log tells which it is.',
    },
    keys_unavailable: {
      what: 'The control API cannot fetch Grafana’s public keys, with which it verifies id tokens.',
      next: 'See whether it reaches grafana.url (or grafana.keys_url) + /api/signing-keys/keys, and trusts its certificate (grafana.ca_file).',
    },
    invalid_context: {
      what: 'The context header is not as Grafana writes it.',
      next: 'The control API’s log tells more; take context out of the tenant’s grafana.identity if Grafana signs id tokens.',
    },
    invalid_user_header: {
      what: 'The user header is not as Grafana writes it.',
      next: 'The control API’s log tells more; take user_header out of the tenant’s grafana.identity if another form arrives.',
    },
    other_org: {
      what: 'You are in another Grafana organisation than this secret’s.',
      next: 'Enter the secret of this organisation’s tenant, or correct the tenant’s grafana.org_id in asterpanel.yml.',
    },
    not_a_user: {
      what: 'You are no user of Grafana, but anonymous, or a service account.',
      next: 'Sign in as a user.',
    },
    contradiction: {
      what: 'Two forms of identity name two users.',
      next: 'See what stands between browser, Grafana and control API, and adds or changes headers.',
    },
    internal: { what: 'The control API had an error of its own.', next: 'Its log tells more.' },
  } satisfies Record<string, Words>,

  clockOk: 'Browser, Grafana and control API agree.',
  browserClock: (ahead: number) =>
    `The control API’s clock is ${seconds(ahead)} ${ahead > 0 ? 'ahead of' : 'behind'} this browser’s.`,
  tokenClock: (age: number) =>
    age < 0
      ? `Grafana’s clock is at least ${seconds(age)} ahead of the control API’s.`
      : `Grafana’s id token is ${seconds(age)} old when it arrives: Grafana’s clock is behind the control API’s.`,
  clockNext: 'Let NTP (chrony, systemd-timesyncd) set the clocks of all machines.',

  profilesOk: (count: number) => `You are in ${count} ${plural(count, { one: 'profile', other: 'profiles' })}.`,
  noProfile: 'There is no profile for you: you see nothing, and may do nothing.',
  noProfileNext: (login: string) =>
    `Ask whoever keeps profiles.yml to add ${login}. The control API reads the file again when it changes.`,

  exporterOk: 'The control API gets the live state from it.',
  exporterAway: 'The control API gets no live state from it.',
  exporterAwayNext:
    'See whether asterpanel-exporter runs, and whether control_api.exporter_url and control_api.exporter_token_file are right.',

  switchboardsOk: (names: string) => `You see: ${names}.`,
  noSwitchboard: 'You see no switchboard.',
  noSwitchboardNext:
    'Look at switchboards in your profile (profiles.yml), and at the tenant of each switchboard in asterpanel.yml.',
};
