import type { panel as english } from '../en/panel';
import { formatNumber, plural } from '../format';
import { isolated } from '../isolated';

export const panel: typeof english = {
  name: 'Asterpanel live',

  freshness: {
    connecting: 'Collegamento…',
    live: 'In diretta',
    polling: 'Ogni 3 s',
    reconnecting: 'Nuovo collegamento…',
    ended: 'Terminato',
    stale: 'Non aggiornato',
    down: 'Centralino non collegato',
    dataAsOf: (time) => `Dati delle ${time}`,
  },
  banner: {
    seconds: (seconds) => `${seconds} s`,
    stale: (age, time) => `Nessuna notizia da ${age}: quanto segue è delle ${time}`,
    staleSaid: (time) => `Nessuna notizia dal centralino: quanto segue è delle ${time}`,
    down: (time) => `Il centralino non è collegato: quanto segue è delle ${time}`,
    away: (time) => `Lo stato in tempo reale non arriva: quanto segue è delle ${time}`,
    ended: 'Non puoi più vedere questo centralino',
    endedNext: 'Chiedi a chi cura i profili, o scegli un altro centralino.',
    unknownTime: 'ore non note',
  },

  problems: {
    unreachable: {
      title: 'La control API non risponde',
      next: 'Si riprova ogni pochi secondi. Se continua, avvisa l’amministratore: nella configurazione dell’app c’è la prova del collegamento.',
    },
    not_configured: {
      title: 'Asterpanel non è configurato in questo Grafana',
      next: 'L’amministratore attiva l’app e, nella sua configurazione, indica l’indirizzo e il segreto della control API.',
    },
    signed_out: {
      title: 'Grafana non sa più chi sei',
      next: 'Ricarica la pagina e accedi di nuovo.',
    },
    unauthenticated: {
      title: 'La control API non riconosce la tua identità',
      next: 'Accedi di nuovo a Grafana. Se succede ancora, avvisa l’amministratore: nella configurazione dell’app c’è la prova del collegamento.',
    },
    not_found: {
      title: 'Non puoi vedere questo centralino, oppure non esiste',
      next: 'Scegli un altro centralino, o chiedi a chi cura i profili.',
    },
    forbidden: {
      title: 'Non puoi vedere questo centralino',
      next: 'Scegli un altro centralino, o chiedi a chi cura i profili.',
    },
    too_many_streams: {
      title: 'Troppe persone guardano lo stato in tempo reale',
      next: 'Chiudi i pannelli che non servono, o avvisa l’amministratore.',
    },
    too_many_requests: {
      title: 'Troppe richieste insieme',
      next: 'Attendi un momento: si riprova da solo.',
    },
    no_state: {
      title: 'Di questo centralino non si sa ancora nulla',
      next: 'L’exporter non ne ha ancora detto nulla. Se dura a lungo, avvisa l’amministratore.',
    },
    other: {
      title: 'Lo stato in tempo reale non si può mostrare',
      next: 'Riprova. Se succede ancora, mostra questo messaggio all’amministratore.',
    },
    outOfSight: {
      title: (switchboard) =>
        `Non puoi vedere ${isolated(switchboard)}, oppure non esiste un centralino con questo nome`,
      next: 'Scegli un altro centralino, o chiedi a chi cura i profili.',
    },
    noProfile: {
      title: 'Per te non c’è alcun profilo',
      next: (login) =>
        `Chiedi a chi cura i profili (profiles.yml) di aggiungere ${isolated(login) || 'il tuo account'} a un profilo.`,
    },
  },
  openConfiguration: 'Apri la configurazione',
  apiSays: 'La control API dice:',
  connectingTo: (switchboard) => `Collegamento a ${isolated(switchboard)}…`,
  loadingRights: 'Verifica di ciò che puoi vedere…',

  filter: 'Filtro',
  filterPlaceholder: 'Filtra per nome, codice, coda o motivo',
  clearFilter: 'Togli il filtro',
  noMatch: (typed) => `Nulla corrisponde a «${isolated(typed)}».`,
  badPattern: (error) =>
    `Il filtro delle code del pannello non è un’espressione regolare: ${error}. Si mostrano tutte le code.`,

  sections: { queues: 'Code', agents: 'Operatori', calls: 'Chiamate in corso' },
  tabs: { queues: 'Code', agents: 'Operatori', calls: 'Chiamate' },
  sectionTabs: 'Sezioni',
  scrollable: (title) => `${title}: elenco scorrevole`,
  waitingInAll: (count) => (count === 0 ? 'nessuno in attesa' : `${formatNumber(count)} in attesa`),
  freeOfAll: (free, all) =>
    `${formatNumber(free)} ${plural(free, { one: 'libero', other: 'liberi' })} su ${formatNumber(all)}`,
  callCount: (count) =>
    count === 0
      ? 'nessuno in conversazione'
      : `${formatNumber(count)} ${plural(count, { one: 'chiamata', other: 'chiamate' })}`,

  noQueues: 'Nessuna coda visibile.',
  noAgents: 'Nessun operatore visibile.',
  nobodyTalks: 'Nessuno in conversazione al momento.',
  nobodyWaits: 'Nessuno in attesa al momento.',
  noQueuePasses: 'Nessuna coda supera il filtro del pannello.',
  noAgentPasses: 'Nessun operatore supera il filtro del pannello.',

  levels: { warning: 'attenzione', critical: 'critico' },

  queueColumns: {
    name: 'Coda',
    waiting: 'In attesa',
    longestWait: 'Attesa massima',
    inProgress: 'In corso',
    agents: 'Operatori liberi',
    serviceLevel: 'Livello di servizio',
  },
  freeShort: (free, all) => `${formatNumber(free)}/${formatNumber(all)} liberi`,
  inProgressShort: (count) => `${formatNumber(count)} in corso`,
  serviceLevelShort: (share) => `LS ${share}`,
  serviceLevelNone: 'oggi nessuna chiamata che conti',
  callerPosition: (position) => `Posizione ${position}`,
  callerPriority: (priority) => `priorità ${priority}`,
  callerWaits: 'attende da',
  unknownNumber: 'numero sconosciuto',

  agentColumns: {
    name: 'Operatore',
    state: 'Stato',
    time: 'Tempo',
    pause: 'Pausa',
    queues: 'Code',
    answered: 'Risposte',
    actions: 'Azioni',
  },
  noReason: 'senza motivo',
  pausedIn: (queues) => `in ${queues}`,
  pausedToo: 'In pausa',
  answeredToday: (count) => `${formatNumber(count)} ${plural(count, { one: 'risposta', other: 'risposte' })} oggi`,

  callColumns: { queue: 'Coda', agent: 'Operatore', time: 'Conversazione' },
  agentOutOfSight: 'non visibile',

  pause: 'Pausa',
  pauseAgent: (name) => `Metti in pausa ${isolated(name)}`,
  endPause: 'Fine pausa',
  endPauseOf: (name) => `Termina la pausa di ${isolated(name)}`,
  queues: 'Code',
  changeQueuesOf: (name) => `Cambia le code di ${isolated(name)}`,
  priority: 'Priorità',
  changePriorityOf: (caller, queue) => `Cambia la priorità di ${isolated(caller)} in ${isolated(queue)}`,
  withdraw: 'Rimuovi dalla coda',
  withdrawFrom: (caller, queue) => `Rimuovi ${isolated(caller)} dalla coda ${isolated(queue)}`,

  options: {
    categories: { what: ['Asterpanel'], queues: ['Code'], agents: ['Operatori'] },
    variable: 'Variabile della dashboard',
    variableHelp:
      'Il suo valore è il centralino da mostrare; il menu del pannello la imposta. Vuota: decide solo il menu.',
    sections: 'Sezioni',
    density: 'Densità',
    densities: { comfortable: 'Comoda', compact: 'Compatta', wallboard: 'Da parete' },
    showSearch: 'Campo di ricerca',
    queuePattern: 'Solo queste code',
    queuePatternHelp:
      'Modelli separati da virgole (vendite-*, fatture), o un’espressione regolare tra barre (/^vendite/). Vale anche per operatori e chiamate. Vuoto: tutte.',
    onlyWaiting: 'Solo code con chiamanti in attesa',
    showCallers: 'Chiamanti in attesa',
    showServiceLevel: 'Livello di servizio di oggi',
    columns: 'Colonne',
    order: 'Ordine',
    queueOrders: { name: 'Nome', waiting: 'Più in attesa', longest_wait: 'Attesa più lunga' },
    agentOrders: { state: 'Stato', name: 'Nome', time: 'Da più tempo nello stato' },
    states: 'Solo questi stati',
    statesHelp: 'Nessuno scelto: tutti.',
    hideUnavailable: 'Nascondi chi non è disponibile',
  },
};
