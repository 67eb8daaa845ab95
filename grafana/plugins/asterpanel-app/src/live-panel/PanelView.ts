import { createContext, useContext } from 'react';

import type { Me } from '../api/types';

/** Who looks at which switchboard, for whatever is inside the panel. */
export interface PanelView {
  me: Me;
  switchboard: string;
}

export const PanelViewContext = createContext<PanelView | null>(null);

/** Who looks at which switchboard. */
export function usePanelView(): PanelView {
  const view = useContext(PanelViewContext);
  if (!view) {
    throw new Error('usePanelView needs a PanelViewContext around it');
  }
  return view;
}
