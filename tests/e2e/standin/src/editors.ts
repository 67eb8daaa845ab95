/** Kinds of panel options. Their editors are Grafana's own, and not shown here: defaults need no more than names. */
import { standardEditorsRegistry } from '@grafana/data';

const KINDS = ['boolean', 'text', 'number', 'slider', 'select', 'multi-select', 'radio', 'strings', 'color'];

export function registerEditors(): void {
  standardEditorsRegistry.setInit(() => KINDS.map((id) => ({ id, name: id, editor: () => null })));
}
