/** Words that more than one area uses. */
export const common = {
  currentSwitchboard: 'Current switchboard',
  chooseSwitchboard: 'Choose a switchboard',
  cancel: 'Cancel',
  close: 'Close',
  tryAgain: 'Try again',
  loading: 'Loading…',
  none: '–',
  states: {
    unavailable: 'Unavailable',
    on_call: 'On a call',
    on_hold: 'On hold',
    ringing: 'Ringing',
    wrapup: 'Wrap-up',
    paused: 'Paused',
    idle: 'Free',
  },
  roles: {
    master: 'Master',
    supervisor: 'Supervisor',
    agent: 'Agent',
    viewer: 'Viewer',
  },
};
