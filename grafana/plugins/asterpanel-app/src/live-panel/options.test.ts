import { PanelOptionsEditorBuilder, standardEditorsRegistry } from '@grafana/data';

import * as en from '../i18n/en';
import * as italian from '../i18n/it';
import { addOptions, DEFAULTS, Options } from './options';

// Grafana's own editors, by the names that it has for them
standardEditorsRegistry.setInit(() =>
  ['text', 'multi-select', 'radio', 'boolean'].map((id) => ({ id, name: id, editor: () => null }))
);

function optionsIn(texts: typeof en) {
  const builder = new PanelOptionsEditorBuilder<Options>();
  addOptions(builder, texts);
  return builder.getItems();
}

describe('the panel’s options', () => {
  it('can all be edited, and begin with their defaults', () => {
    const items = optionsIn(en);
    expect(items.map(({ path }) => path).sort()).toEqual(Object.keys(DEFAULTS).sort());
    items.forEach(({ path, defaultValue }) => expect(defaultValue).toEqual(DEFAULTS[path as keyof Options]));
  });

  it('mention the variable so that Grafana draws the panel again when it changes', () => {
    expect(DEFAULTS.variable).toBe('$switchboard');
  });

  it('have a name in both languages, and their choices too', () => {
    for (const texts of [en, italian]) {
      for (const { name, settings } of optionsIn(texts)) {
        const labels = ((settings?.options ?? []) as Array<{ label?: string }>).map(({ label }) => label);
        expect([name, ...labels].every((text) => typeof text === 'string' && text !== '')).toBe(true);
      }
    }
  });
});
