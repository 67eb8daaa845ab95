import type { me as english } from '../en/me';
import { isolated } from '../isolated';

export const me: typeof english = {
  title: 'Il mio stato',
  whoIAm: 'Chi sono',
  name: 'Nome',
  login: 'Utente',
  role: 'Ruolo',
  noRole: 'nessuno',
  agent: 'Operatore',
  switchboard: 'Centralino',
  state: 'Stato',
  since: 'Da',
  pauseReason: 'Motivo della pausa',
  pausedFor: 'In pausa da',
  unnamed: 'non indicato',

  noAgent: 'Non sei un operatore',
  noAgentNext: (login) =>
    `Chiedi al supervisore, o a chi cura i profili, di indicare quale operatore sei per l’utente Grafana ${isolated(login)}.`,
  notInQueue: 'Al momento non sei in nessuna coda',
  notInQueueNext:
    'Entra nelle tue code come di consueto, o chiedi al supervisore di aggiungerti. Allora apparirai qui.',
  noRight:
    'Il tuo ruolo non ti permette di metterti in pausa. Chiedi al supervisore di farlo, o di cambiarti il ruolo.',
  noData: 'Al momento non si sa nulla del tuo stato',
  noDataNext: 'Puoi chiedere comunque una pausa; qui si legge se il centralino l’ha confermata.',

  myQueues: 'Le mie code',
  queue: 'Coda',
  penalty: 'Penalità',
  waiting: 'In attesa',
  pausedHere: 'in pausa',

  pauseHeading: 'Pausa',
  pauseFor: (reason) => `Pausa: ${isolated(reason)}`,
  pause: 'Pausa',
  reason: 'Motivo',
  reasonHelp: 'Testo libero; può restare vuoto.',
  unpause: 'Termina la mia pausa',

  confirmPauseTitle: 'Mettimi in pausa',
  confirmPause: (reason, switchboard, onlyIn = '') => {
    const queues = onlyIn
      ? `da queste code su ${isolated(switchboard)}: ${onlyIn}`
      : `da nessuna delle tue code su ${isolated(switchboard)}`;
    return `Pausa${reason && ` per «${isolated(reason)}»`}? Finché non la termini, non ricevi chiamate ${queues}.`;
  },
  confirmUnpauseTitle: 'Termina la mia pausa',
  confirmUnpause: (switchboard, onlyIn = '') =>
    `Terminare la pausa${onlyIn && ` in ${onlyIn}`}? ${onlyIn ? 'Queste' : 'Le tue'} code su ${isolated(switchboard)} ti chiamano di nuovo.`,
  confirmDown: 'Al momento il centralino non è collegato, o i suoi dati non sono aggiornati: può rifiutare.',
  donePause: (reason, onlyIn = '') => `Sei in pausa${onlyIn && ` in ${onlyIn}`}${reason && `: ${isolated(reason)}`}`,
  doneUnpause: (onlyIn = '') => `La tua pausa${onlyIn && ` in ${onlyIn}`} è terminata`,

  today: 'Oggi',
  answered: 'Chiamate risposte',
  talkTime: 'Tempo di conversazione',
  missed: 'Non risposte',
  noToday: 'I dati di oggi non sono noti.',

  linkProblem: 'Il link che ti ha portato qui non può essere seguito',
  linkNothingDone: 'Nulla è stato fatto. Puoi scegliere qui sotto.',
  linkProblems: {
    twice: (parameter) => `Indica «${isolated(parameter)}» più di una volta.`,
    unknown_switchboard: (name) => `Non vedi alcun centralino «${isolated(name)}».`,
    no_agent_there: (name) => `Non sei un operatore sul centralino «${isolated(name)}».`,
    unknown_action: (action) => `«${isolated(action)}» non è un’azione: ci sono «pause» e «unpause».`,
    unknown_reason: (reason) => `«${isolated(reason)}» non è tra i motivi che una pausa può avere.`,
    no_reason: 'Non dà un motivo per la pausa, e ne serve uno.',
    bad_reason: (why) => `Il suo motivo non può essere usato. ${why}`,
  },
};
