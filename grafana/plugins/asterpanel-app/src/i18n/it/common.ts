import type { common as english } from '../en/common';

export const common: typeof english = {
  currentSwitchboard: 'Centralino attuale',
  chooseSwitchboard: 'Scegli un centralino',
  cancel: 'Annulla',
  close: 'Chiudi',
  tryAgain: 'Riprova',
  loading: 'Caricamento…',
  none: '–',
  states: {
    unavailable: 'Non disponibile',
    on_call: 'Al telefono',
    on_hold: 'Chiamata in attesa',
    ringing: 'Squilla',
    wrapup: 'Post-chiamata',
    paused: 'In pausa',
    idle: 'Libero',
  },
  roles: {
    master: 'Master',
    supervisor: 'Supervisore',
    agent: 'Operatore',
    viewer: 'Osservatore',
  },
};
