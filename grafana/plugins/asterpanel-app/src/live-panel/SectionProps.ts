import type { Options } from './options';

/** What every section of the panel is given. */
export interface SectionProps<Row> {
  /** Those that pass the panel's own filter. */
  rows: readonly Row[];
  /** Whether there is any in sight at all. */
  isAny: boolean;
  options: Options;
  /** In pixels. */
  width: number;
  /** What was typed into the search field. */
  typed: string;
  /** Empties the search field. */
  onClear(): void;
}
