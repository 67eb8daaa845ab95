/** Parts of the panel. */
export type Section = 'queues' | 'agents' | 'calls';

/** How the sections lie: in columns side by side, each with the sections in it from top to bottom, or as tabs. */
export type Layout = { is: 'columns'; columns: readonly Section[][] } | { is: 'tabs' };

const TWO_COLUMNS_PX = 1000;
const THREE_COLUMNS_PX = 1600;
const STACK_WIDTH_PX = 600;
/** A section beneath another is of use with so much height: its title, its header and some rows. */
const STACKED_SECTION_PX = 220;

/**
 * How the sections lie in a panel of this size.
 *
 * @param width - of the panel, in pixels
 * @param height - of what is beneath its header
 */
export function layoutOf(width: number, height: number, sections: readonly Section[]): Layout {
  if (sections.length < 2) {
    return { is: 'columns', columns: [[...sections]] };
  }
  if (width >= THREE_COLUMNS_PX || (width >= TWO_COLUMNS_PX && sections.length === 2)) {
    return { is: 'columns', columns: sections.map((section) => [section]) };
  }
  if (width >= TWO_COLUMNS_PX) {
    return twoColumns(height);
  }
  return width >= STACK_WIDTH_PX && height >= STACKED_SECTION_PX * sections.length
    ? { is: 'columns', columns: [[...sections]] }
    : { is: 'tabs' };
}

/** Of three: the agents have a column for themselves, unless the other two would be too low in theirs. */
function twoColumns(height: number): Layout {
  return height >= STACKED_SECTION_PX * 2
    ? { is: 'columns', columns: [['queues', 'calls'], ['agents']] }
    : { is: 'columns', columns: [['queues'], ['agents'], ['calls']] };
}
