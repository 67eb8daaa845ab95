import type { actions as english } from '../en/actions';
import { plural } from '../format';
import { isolated } from '../isolated';

export const actions: typeof english = {
  waiting: 'In attesa del centralino…',
  unknownNumber: 'numero sconosciuto',

  pause: {
    title: (name) => `Metti in pausa ${isolated(name)}`,
    confirm: 'Metti in pausa',
    done: (name, reason, onlyIn = '') =>
      `${isolated(name)} è in pausa${onlyIn && ` in ${onlyIn}`}${reason && `: ${isolated(reason)}`}`,
    reason: 'Motivo',
    reasonOptional: 'Testo libero; può restare vuoto.',
    where: 'Dove',
    inAll: 'In tutte le code',
    inAllAllowed: 'In tutte le code in cui puoi metterlo in pausa',
    inSome: 'Solo in alcune code',
    chooseReason: 'Scegli un motivo.',
    chooseQueue: 'Scegli almeno una coda.',
    pausedHere: 'già in pausa',
  },
  unpause: {
    title: (name) => `Termina la pausa di ${isolated(name)}`,
    confirm: 'Termina la pausa',
    done: (name, onlyIn = '') => `La pausa di ${isolated(name)}${onlyIn && ` in ${onlyIn}`} è terminata`,
    body: (name) => `${isolated(name)} riceve di nuovo chiamate, in ogni coda in cui puoi terminare la pausa.`,
    pausedIn: 'In pausa in',
    notPaused: 'Non c’è alcuna pausa nelle code in cui puoi terminarla.',
  },
  queues: {
    title: (name) => `Cambia le code di ${isolated(name)}`,
    confirm: (count) => `Applica ${count} ${plural(count, { one: 'modifica', other: 'modifiche' })}`,
    nothing: 'Nessuna modifica da applicare',
    done: (name) => `Le code di ${isolated(name)} sono cambiate`,
    legend: 'Membro di',
    filter: 'Filtra le code',
    noMatch: 'Nessuna coda ha questo testo nel nome.',
    penalty: 'Penalità',
    penaltyIn: (queue) => `Penalità in ${isolated(queue)}`,
    penaltyHelp: 'Più alta è la penalità, più tardi la coda chiama.',
    penaltyInvalid: 'Un numero intero da 0 a 2147483647.',
    fixed: 'Fissa: sta nella configurazione del centralino, e solo lì può essere tolta.',
    changes: 'Modifiche',
    noChanges: 'Ancora nessuna.',
    joins: (queue, penalty) => `entra in ${isolated(queue)} con penalità ${penalty}`,
    leaves: (queue) => `esce da ${isolated(queue)}`,
    penaltyChanges: (queue, from, to) => `${isolated(queue)}: penalità ${from} → ${to}`,
    leavesAll: 'Senza alcuna coda l’operatore non riceve chiamate, e non è più mostrato.',
    meanwhile: 'Nel frattempo qualcun altro ha cambiato queste code',
    meanwhileBody: (names) =>
      `Si tratta di: ${names}. Accetta queste modifiche nella tua scelta, o mantieni la tua scelta, che le annulla.`,
    takeOver: 'Accetta queste modifiche',
    keepMine: 'Mantieni la mia scelta',
    none: 'Non c’è alcuna coda visibile che tu possa cambiare per questo operatore.',
  },
  priority: {
    title: (caller, queue) => `Cambia la priorità di ${isolated(caller)} in ${isolated(queue)}`,
    confirm: 'Cambia la priorità',
    done: (caller, queue) => `La priorità di ${isolated(caller)} in ${isolated(queue)} è cambiata`,
    priority: 'Priorità',
    help: 'Più alta è la priorità, prima il chiamante è servito. Può essere negativa.',
    invalid: 'Un numero intero da -2147483647 a 2147483647.',
    nowUnknown: (position) => `Ora: posizione ${position}`,
    now: (priority, position) => `Ora: priorità ${priority}, posizione ${position}`,
    immediate: 'Cambia subito posto',
    immediateHelp:
      'Altrimenti il chiamante tiene il posto, e solo chi arriva dopo si mette davanti o dietro. Asterisk 16 non cambia mai i posti.',
    unchanged: 'La priorità è già questa.',
  },
  withdraw: {
    title: (caller, queue) => `Rimuovi ${isolated(caller)} dalla coda ${isolated(queue)}`,
    confirm: 'Rimuovi dalla coda',
    done: (caller, queue) => `${isolated(caller)} ha lasciato ${isolated(queue)}`,
    body: 'Il chiamante prosegue nel dialplan dopo la coda. Mentre un telefono squilla per lui, solo quando smette.',
    info: 'Informazione per il dialplan (QUEUE_WITHDRAW_INFO)',
    infoHelp: 'Può restare vuota.',
  },

  warnStale: (time) => `Ciò che vedi è delle ${time} e può essere cambiato. La richiesta parte comunque.`,
  warnDown: 'Al momento il centralino non è collegato: probabilmente rifiuterà.',
  warnNoData: 'Al momento non si sa nulla del centralino.',
  agentGone: 'Questo operatore non è più in nessuna delle code visibili.',
  callerGone: (queue) => `Questo chiamante non è più in attesa in ${isolated(queue)}.`,

  textTooLong: (bytes, most) =>
    `Troppo lungo: ${bytes} byte in UTF-8, e il centralino ne tiene ${most}. Le lettere accentate contano due o più.`,
  textCharacter: (code) => `Il carattere ${code} non è ammesso: scrivi senza.`,

  outcomes: {
    done: {
      what: 'Fatto.',
      next: 'Il centralino ha confermato, e lo stato in tempo reale lo mostra.',
    },
    accepted: {
      what: 'Il centralino ha confermato; lo stato in tempo reale non lo mostra ancora.',
      next: 'Apparirà al più tardi entro qualche minuto. Non c’è altro da fare.',
    },
    partial: {
      what: 'È stata fatta solo una parte, che resta così.',
      next: 'Guarda l’esito coda per coda; poi chiedi il resto, se lo vuoi ancora.',
    },
    already_so: {
      what: 'Era già così.',
      next: 'Nulla è stato cambiato.',
    },
  },
  resultByQueue: 'Esito coda per coda',
  changesOf: {
    pause: 'pausa',
    unpause: 'fine della pausa',
    add: 'entrata',
    change: 'modifica',
    remove: 'uscita',
    keep: 'invariata',
    priority: 'priorità',
    withdraw: 'uscita dalla coda',
  },
  verdicts: {
    done: 'fatto',
    accepted: 'confermato, non ancora visibile',
    already_so: 'era già così',
    static_member: 'non fatto: fisso nella configurazione del centralino',
    not_found: 'non fatto: il centralino non lo conosce più',
    not_supported: 'non fatto: questo Asterisk non può farlo',
    refused: 'non fatto: il centralino ha rifiutato',
    timed_out: 'nessuna risposta',
    not_connected: 'non fatto: nessun collegamento',
    too_many_requests: 'non fatto: il centralino è occupato',
    not_tried: 'non tentato',
  },
  timedOutSeen: 'nessuna risposta, ma lo stato in tempo reale mostra che è stato fatto',
  timedOutUnseen: 'nessuna risposta, e finora lo stato in tempo reale non lo mostra',

  apiSays: 'La control API dice:',
  retryAfter: (seconds) => `Riprova tra ${seconds} s.`,
  missingRight: (right) => `Manca il diritto di ${right}.`,
  rights: {
    see_own: 'vedere te stesso e le tue code',
    see: 'vedere code e operatori',
    see_callers: 'leggere i numeri dei chiamanti',
    pause_self: 'metterti in pausa',
    pause: 'mettere in pausa gli operatori',
    edit_members: 'cambiare i membri delle code',
    move_callers: 'spostare i chiamanti in attesa',
  },
  errors: {
    invalid_request: {
      what: 'La richiesta non è arrivata al centralino: qualcosa non è come deve essere.',
      next: 'Correggi ciò che è indicato sotto, e riprova.',
    },
    not_json: {
      what: 'La control API non ha capito la richiesta.',
      next: 'Ricarica la pagina; se succede ancora, avvisa l’amministratore: plugin e control API non vanno d’accordo.',
    },
    unauthenticated: {
      what: 'La control API non riconosce chi sei. Nulla è stato fatto.',
      next: 'Accedi di nuovo a Grafana; se succede ancora, l’amministratore può provare il collegamento nella configurazione dell’app.',
    },
    forbidden: {
      what: 'Non puoi farlo. Nulla è stato fatto.',
      next: 'Chiedi al supervisore, o a chi cura i profili.',
    },
    not_found: {
      what: 'Non c’è più, o non è visibile per te. Nulla è stato fatto.',
      next: 'Guarda lo stato in tempo reale: l’operatore, la coda o il chiamante può non esserci più.',
    },
    method_not_allowed: {
      what: 'La control API non conosce questa azione.',
      next: 'Ricarica la pagina; se succede ancora, avvisa l’amministratore: plugin e control API non vanno d’accordo.',
    },
    too_many_requests: {
      what: 'Troppe richieste insieme. Nulla è stato fatto.',
      next: 'Aspetta un momento, e riprova.',
    },
    too_many_streams: {
      what: 'Troppe persone guardano insieme lo stato in tempo reale.',
      next: 'Chiudi i pannelli che non servono, o avvisa l’amministratore.',
    },
    too_large: {
      what: 'La richiesta è troppo grande. Nulla è stato fatto.',
      next: 'Cambia meno code per volta.',
    },
    already_so: {
      what: 'Era già così. Nulla è stato cambiato.',
      next: 'Non c’è altro da fare.',
    },
    static_member: {
      what: 'L’appartenenza sta nella configurazione del centralino. Non è stata tolta.',
      next: 'Chiedi di toglierla lì a chi cura la configurazione del centralino.',
    },
    busy_agent: {
      what: 'Altri stanno cambiando proprio ora lo stesso operatore o chiamante. Nulla è stato fatto.',
      next: 'Guarda che cosa hanno fatto, e riprova se lo vuoi ancora.',
    },
    refused: {
      what: 'Il centralino ha rifiutato.',
      next: 'Il motivo è sotto; se non ti dice che cosa fare, mostralo all’amministratore.',
    },
    not_supported: {
      what: 'L’Asterisk di questo centralino non può farlo. Nulla è stato fatto.',
      next: 'Avvisa l’amministratore, se ti serve: un Asterisk più recente può.',
    },
    not_connected: {
      what: 'Non c’è collegamento con il centralino. Nulla è stato fatto, né sarà fatto dopo.',
      next: 'Riprova quando torna; se dura a lungo, avvisa l’amministratore.',
    },
    no_control: {
      what: 'Questo centralino non è predisposto per essere comandato da qui. Nulla è stato fatto.',
      next: 'Avvisa l’amministratore: nella configurazione manca l’utente di controllo del centralino.',
    },
    no_state: {
      what: 'Ciò che si sa del centralino è troppo vecchio per agire. Nulla è stato fatto.',
      next: 'Riprova quando torna lo stato in tempo reale; se dura a lungo, avvisa l’amministratore.',
    },
    timed_out: {
      what: 'Il centralino ha ricevuto la richiesta e non ha risposto: può essere stata eseguita, o no.',
      next: 'Guarda lo stato in tempo reale prima di riprovare. Nulla viene ripetuto da solo.',
    },
    internal: {
      what: 'La control API ha avuto un errore interno.',
      next: 'Guarda nello stato in tempo reale se è stato fatto, e avvisa l’amministratore.',
    },
    unreachable: {
      what: 'La control API non ha risposto: può essere stato fatto, o no.',
      next: 'Guarda lo stato in tempo reale prima di riprovare; se non c’è, avvisa l’amministratore.',
    },
    not_configured: {
      what: 'Grafana non sa dove sia la control API. Nulla è stato fatto.',
      next: 'Avvisa l’amministratore: l’app Asterpanel è disattivata o non configurata.',
    },
    signed_out: {
      what: 'Grafana non sa più chi sei. Nulla è stato fatto.',
      next: 'Accedi di nuovo, e riprova.',
    },
    other: {
      what: 'Non è riuscito, o solo in parte, per un motivo che questo plugin non conosce.',
      next: 'Guarda nello stato in tempo reale se è stato fatto, e avvisa l’amministratore: il plugin può essere più vecchio della control API.',
    },
  },
};
