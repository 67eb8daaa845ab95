import type { config as english } from '../en/config';
import { plural } from '../format';

const seconds = (count: number) => `${Math.abs(count)} s`;

export const config: typeof english = {
  tab: 'Configurazione',
  settings: 'Control API',
  url: 'URL dell’API',
  urlHelp: 'Indirizzo radice della control API, come lo raggiunge il server di Grafana. Ogni Viewer può leggerlo.',
  urlPlaceholder: 'http://127.0.0.1:9978',
  secret: 'Segreto della route',
  secretHelp:
    'Il segreto nel file indicato da control_api.tenants.<tenant>.route_secret_file. Grafana lo tiene cifrato, e non lo mostra più.',
  provisioned: 'Se un file di provisioning configura questa app, all’avvio di Grafana sovrascrive ciò che salvi qui.',
  save: 'Salva',
  saveAndEnable: 'Salva e attiva',
  saved: 'Salvato.',
  saveFailed: 'Non è stato salvato',
  saveFailedNext: 'Solo gli amministratori possono salvare. Se lo sei, il log di Grafana dice di più.',

  urlProblems: {
    empty: 'Inserisci l’indirizzo della control API.',
    not_a_url: 'Non è un indirizzo. Comincia con http:// o https://, e non ha spazi: http://127.0.0.1:9978',
    not_http: 'L’indirizzo deve cominciare con http:// o https://.',
    credentials: 'Togli utente e password: il segreto va nel campo sotto.',
    query: 'Togli tutto da ? o # in poi.',
    with_v1: 'Togli /v1 alla fine: serve solo l’indirizzo radice.',
  },
  secretProblems: {
    too_short: 'Troppo corto: il segreto ha almeno 16 caratteri.',
    characters: 'Il segreto ha solo lettere, cifre e segni ASCII, e nessuno spazio.',
  },

  test: 'Prova il collegamento',
  testing: 'Prova in corso…',
  testHelp: 'Segue la stessa strada delle richieste di ogni utente, con ciò che è salvato.',
  saveFirst: 'Ciò che hai scritto non è ancora salvato: salvalo prima.',
  checks: 'Controlli',
  allOk: 'Funziona tutto.',
  notAllOk: (count) =>
    `${count} ${plural(count, { one: 'controllo richiede', other: 'controlli richiedono' })} la tua attenzione.`,
  results: {
    ok: 'Funziona',
    warning: 'Dubbio',
    failed: 'Non funziona',
    unknown: 'Non provato',
  },
  names: {
    api: 'Control API',
    secret: 'Segreto',
    identity: 'Identità',
    clock: 'Orologi',
    profiles: 'Profili',
    exporter: 'Exporter',
    switchboards: 'Centralini',
  },
  notTold: 'Non si può dire finché ciò che sta sopra non funziona.',

  apiOk: (version) => `Grafana la raggiunge. Versione ${version}.`,
  apiAnswers: 'Grafana la raggiunge.',
  noUrl: 'Nessun indirizzo è salvato.',
  noUrlNext: 'Inserisci l’URL dell’API e salvalo.',
  grafanaUnreachable: 'Il browser non raggiunge Grafana.',
  grafanaUnreachableNext: 'Controlla la rete, poi riprova.',
  apiUnreachable: (status) => `Il server di Grafana non riceve risposta a questo indirizzo (HTTP ${status}).`,
  apiUnreachableNext:
    'Controlla se la control API è in funzione (systemctl status asterpanel-control-api, o il container), se ascolta dove il server di Grafana può raggiungerla (control_api.listen), e se host e porta sono giusti. Il log di Grafana dice la causa.',
  notTheApi: (status) => `Non è la control API a rispondere (HTTP ${status}).`,
  notTheApiNext:
    'Attiva l’app, se è disattivata. Se è attiva, a questo indirizzo ascolta qualcos’altro: inserisci quello della control API.',
  signedOut: 'Grafana non sa più chi sei, o risponde qualcosa di diverso dalla control API (HTTP 401).',
  signedOutNext: 'Accedi di nuovo, e riprova; poi controlla l’indirizzo.',
  apiTooOld: 'Grafana la raggiunge, ma non conosce la prova del collegamento: è più vecchia di questo plugin.',
  apiTooOldNext: 'Aggiorna i servizi di Asterpanel alla versione del plugin.',
  apiError: (message) => `Risponde con un errore: ${message}`,
  apiErrorNext: 'Il log della control API dice di più.',

  secretOk: (tenant) => `Giusto; è il segreto del tenant «${tenant}».`,
  noSecret: 'Nessun segreto è salvato.',
  secretWrong: 'La control API non conosce questo segreto.',
  secretIsToken: 'È il token di un programma, non il segreto di una route.',
  secretNext:
    'Inserisci il contenuto del file indicato da control_api.tenants.<tenant>.route_secret_file, e salvalo. (La control API legge il file all’avvio.)',
  tooManySecrets: 'Sono arrivati troppi segreti errati in poco tempo; per ora la control API non ne accetta.',
  tooManySecretsNext: (wait) => `Aspetta ${wait} s, poi riprova.`,

  identityOk: (login, via) => `Sei ${login}, secondo ${via}.`,
  identityProgram: 'La control API prende Grafana per un programma.',
  formsAccepted: (names) => `La control API accetta: ${names}.`,
  formsFound: (names) => `Grafana invia: ${names}.`,
  noForm: 'nulla',
  forms: {
    id_token: 'il token firmato di Grafana (id_token)',
    context: 'l’intestazione di contesto del proxy dell’app (context)',
    user_header: 'l’intestazione dell’utente (user_header)',
    bearer: 'il token di un programma',
  },
  formsNext: {
    id_token:
      'Per id_token: Grafana 11.3 o successivo lo firma da solo; per uno più vecchio, aggiungi context a grafana.identity del tenant in asterpanel.yml.',
    context:
      'Per context: il proxy dell’app di Grafana invia sempre X-Grafana-Context; controlla se qualcosa tra Grafana e la control API lo toglie.',
    user_header:
      'Per user_header: imposta send_user_header = true sotto [dataproxy] in grafana.ini, e riavvia Grafana.',
    bearer: '',
  },
  reasons: {
    no_credentials: {
      what: 'Non arriva alcun segreto.',
      next: 'Controlla se qualcosa tra Grafana e la control API toglie l’intestazione Authorization.',
    },
    unknown_secret: { what: 'Il segreto non è noto.', next: 'Inserisci di nuovo il segreto della route.' },
    token_expired: {
      what: 'Il segreto è il token di un programma, ed è scaduto.',
      next: 'Inserisci il segreto della route.',
    },
    tokens_unreadable: {
      what: 'La control API non riesce a leggere il suo file dei token.',
      next: 'asterpanel-control-api check dice che cosa non va.',
    },
    token_with_identity: {
      what: 'Il segreto è il token di un programma: insieme a un utente viene rifiutato.',
      next: 'Inserisci il segreto della route.',
    },
    no_identity: { what: 'La tua identità non arriva.', next: '' },
    invalid_id_token: {
      what: 'Il token di Grafana non è accettato.',
      next: 'Indica il root_url di Grafana come grafana.url del tenant in asterpanel.yml, esattamente come in grafana.ini, e controlla che entrambi gli orologi siano giusti. Il log della control API dice quale dei due è.',
    },
    keys_unavailable: {
      what: 'La control API non riesce a ottenere le chiavi pubbliche di Grafana, con cui verifica i token.',
      next: 'Controlla se raggiunge grafana.url (o grafana.keys_url) + /api/signing-keys/keys, e se si fida del suo certificato (grafana.ca_file).',
    },
    invalid_context: {
      what: 'L’intestazione di contesto non è come la scrive Grafana.',
      next: 'Il log della control API dice di più; togli context da grafana.identity del tenant se Grafana firma i token.',
    },
    invalid_user_header: {
      what: 'L’intestazione dell’utente non è come la scrive Grafana.',
      next: 'Il log della control API dice di più; togli user_header da grafana.identity del tenant se arriva un’altra forma.',
    },
    other_org: {
      what: 'Sei in un’organizzazione di Grafana diversa da quella di questo segreto.',
      next: 'Inserisci il segreto del tenant di questa organizzazione, o correggi grafana.org_id del tenant in asterpanel.yml.',
    },
    not_a_user: {
      what: 'Non sei un utente di Grafana, ma anonimo, o un service account.',
      next: 'Accedi come utente.',
    },
    contradiction: {
      what: 'Due forme di identità indicano due utenti.',
      next: 'Controlla che cosa sta tra browser, Grafana e control API, e aggiunge o cambia intestazioni.',
    },
    internal: { what: 'La control API ha avuto un errore interno.', next: 'Il suo log dice di più.' },
  },

  clockOk: 'Browser, Grafana e control API concordano.',
  browserClock: (ahead) =>
    `L’orologio della control API è ${seconds(ahead)} ${ahead > 0 ? 'avanti' : 'indietro'} rispetto a questo browser.`,
  tokenClock: (age) =>
    age < 0
      ? `L’orologio di Grafana è almeno ${seconds(age)} avanti rispetto alla control API.`
      : `Il token di Grafana ha ${seconds(age)} quando arriva: l’orologio di Grafana è indietro rispetto alla control API.`,
  clockNext: 'Fai regolare gli orologi di tutte le macchine da NTP (chrony, systemd-timesyncd).',

  profilesOk: (count) => `Sei in ${count} ${plural(count, { one: 'profilo', other: 'profili' })}.`,
  noProfile: 'Non c’è un profilo per te: non vedi nulla, e non puoi fare nulla.',
  noProfileNext: (login) =>
    `Chiedi a chi cura profiles.yml di aggiungere ${login}. La control API rilegge il file quando cambia.`,

  exporterOk: 'La control API ne riceve lo stato in tempo reale.',
  exporterAway: 'La control API non ne riceve lo stato in tempo reale.',
  exporterAwayNext:
    'Controlla se asterpanel-exporter è in funzione, e se control_api.exporter_url e control_api.exporter_token_file sono giusti.',

  switchboardsOk: (names) => `Vedi: ${names}.`,
  noSwitchboard: 'Non vedi alcun centralino.',
  noSwitchboardNext:
    'Controlla switchboards nel tuo profilo (profiles.yml), e il tenant di ogni centralino in asterpanel.yml.',
};
