import { useState, useSyncExternalStore } from 'react';

import { ActionRunner, ActionStates } from './ActionRunner';

/**
 * A runner of actions for as long as the component is there, and how its actions stand. An action that is pending
 * when the component goes is still told of when it settles.
 */
export function useActionRunner(): { runner: ActionRunner; states: ActionStates } {
  const [runner] = useState(() => new ActionRunner());
  const states = useSyncExternalStore(runner.subscribe, runner.states);
  return { runner, states };
}
