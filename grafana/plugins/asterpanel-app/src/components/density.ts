import { createContext, useContext } from 'react';
import type { ComponentSize } from '@grafana/ui';

/** How much room each thing takes. */
export type Density = 'comfortable' | 'compact' | 'wallboard';

/** Measures of a density. Heights in pixels. */
export interface Measures {
  /** Height of a line of a table. */
  line: number;
  /** Height of a line that tells in two rows what does not fit beside each other. */
  card: number;
  /** Height of a table's header. */
  header: number;
  /** Font size, as a factor of Grafana's. */
  scale: number;
  /** Of the buttons: at least 24 pixels high in compact, 32 in the others. */
  buttons: Extract<ComponentSize, 'sm' | 'md'>;
  /** Width of a button without words, in pixels. */
  button: number;
}

export const MEASURES: Record<Density, Measures> = {
  comfortable: { line: 40, card: 60, header: 36, scale: 1, buttons: 'md', button: 32 },
  compact: { line: 28, card: 46, header: 28, scale: 0.9, buttons: 'sm', button: 24 },
  wallboard: { line: 56, card: 92, header: 48, scale: 1.6, buttons: 'md', button: 32 },
};

/** The measures of whatever is inside. */
export const MeasuresContext = createContext<Measures>(MEASURES.comfortable);

export function useMeasures(): Measures {
  return useContext(MeasuresContext);
}
