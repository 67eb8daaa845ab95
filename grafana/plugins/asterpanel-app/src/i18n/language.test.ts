import { languageOf } from './language';

describe('languageOf', () => {
  it.each([
    ['it-IT', 'en-US', '13.2.2', 'it'],
    ['it', 'en-US', '12.0.0', 'it'],
    ['en-US', 'it-IT', '12.0.0', 'en'],
    ['fr-FR', 'it-IT', '13.2.2', 'en'],
    ['', 'it-IT', '13.2.2', 'it'],
    ['default', 'it', '13.2.2', 'it'],
    [undefined, 'en-GB', '13.2.2', 'en'],
    ['', 'de-DE', '13.2.2', 'en'],
    ['ita-weird', '', '13.2.2', 'en'],
    ['en-US', 'it-IT', '10.1.0', 'it'],
    ['en-US', 'it-IT', '10.1.0-pre', 'it'],
    ['en-US', 'en-US', '11.6.14', 'en'],
    ['fr-FR', 'it-IT', '11.6.14', 'en'],
    ['en-US', 'it-IT', '', 'en'],
  ])('Grafana in %j, browser in %j, version %s: %s', (grafana, browser, version, language) => {
    expect(languageOf(grafana, browser, version)).toBe(language);
  });
});
