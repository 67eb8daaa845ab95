import type { InterpolateFunction } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import { useState } from 'react';

import type { Me } from '../api/types';
import { Choice, Shown, shownSwitchboard, variableName } from '../view/switchboardChoice';

/**
 * The switchboard to show, and how to choose another one: by the dashboard's variable, which follows the choice
 * and decides for all panels; where it cannot, the panel keeps its own.
 *
 * @param option - the variable, as the panel's option has it
 */
export function useSwitchboard(
  me: Me,
  option: string,
  replaceVariables: InterpolateFunction
): [shown: Shown, choose: (switchboard: string) => void] {
  const name = variableName(option);
  const variable = name === '' ? '' : replaceVariables(`\${${name}:json}`);
  const [choice, setChoice] = useState<Choice | null>(null);
  if (choice !== null && choice.variable !== variable) {
    setChoice(null); // the variable was changed since then: it decides
  }
  const choose = (switchboard: string) => {
    setChoice({ switchboard, variable });
    if (name !== '') {
      locationService.partial({ [`var-${name}`]: switchboard }, true);
    }
  };
  const inSight = me.switchboards.map((board) => board.name);
  return [shownSwitchboard(inSight, variable, choice), choose];
}
