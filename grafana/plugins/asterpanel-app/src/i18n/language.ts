/** Languages that the texts are in. */
export type Language = 'en' | 'it';

/** The first major version of Grafana that can be set to Italian. */
const KNOWS_ITALIAN = 12;

/**
 * The language to speak: Italian for Grafana's `it…`, else English.
 *
 * A Grafana that cannot be set to Italian says `en-US` whether somebody has chosen that or not; there, and where no
 * language is told, the browser's decides.
 *
 * @param grafana - Grafana's language: `it-IT`; "" or "default" if none is chosen
 * @param browser - the browser's: `it`, `en-GB`
 * @param version - Grafana's: `10.1.0`
 */
export function languageOf(grafana: string | undefined, browser: string, version: string): Language {
  const says = grafana && grafana !== 'default' ? grafana : '';
  const isChosen = says !== '' && !(says === 'en-US' && parseInt(version, 10) < KNOWS_ITALIAN);
  return /^it\b/i.test(isChosen ? says : browser) ? 'it' : 'en';
}
