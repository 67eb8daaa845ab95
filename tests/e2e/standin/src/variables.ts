/** The dashboard's variable `switchboard`, whose value is in the URL. */
import { locationService, type TemplateSrv } from '@grafana/runtime';

const PARAMETER = 'var-switchboard';
const REFERENCE = /\$\{switchboard(?::(\w+))?\}|\$switchboard\b|\[\[switchboard\]\]/g;

function value(): string | null {
  const values = window.standinDashboard?.switchboards ?? [];
  return values.length ? (locationService.getSearch().get(PARAMETER) ?? values[0]) : null;
}

/** A text with the variable's value in place of its name; of Grafana's formats there is `json`. */
export function replaceVariables(text = ''): string {
  const current = value();
  return current === null
    ? text
    : text.replace(REFERENCE, (_, format) => (format === 'json' ? JSON.stringify(current) : current));
}

export const templateSrv = {
  getVariables: () => {
    const current = value();
    return current === null
      ? []
      : [
          {
            type: 'custom',
            name: 'switchboard',
            id: 'switchboard',
            current: { text: current, value: current, selected: true },
            options: window.standinDashboard?.switchboards.map((name) => ({ text: name, value: name })),
          },
        ];
  },
  replace: replaceVariables,
  containsTemplate: (text = '') => text.search(REFERENCE) >= 0,
  updateTimeRange: () => undefined,
} as unknown as TemplateSrv;
