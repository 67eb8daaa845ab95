import { actions as english } from './en/actions';
import { isolated, listed } from './isolated';
import { actions as italian } from './it/actions';

describe('isolated', () => {
  it.each(['Anna Rossi', 'Müller', '田中', '…78', '', 'O’Brien', '🎧'])('leaves %j as it is', (name) => {
    expect(isolated(name)).toBe(name);
  });

  it.each(['محمد', 'דוד', 'a\u202eb', '\u200fa'])('gives %j a direction of its own', (name) => {
    expect(isolated(name)).toBe(`\u2068${name}\u2069`);
  });

  it('does not let a name end it', () => {
    expect(isolated('\u2069\u202eevil')).toBe('\u2068\u202eevil\u2069');
  });
});

it('lists names, each with its own direction', () => {
  expect(listed(['sales', 'دعم', 'vip'])).toBe('sales, \u2068دعم\u2069, vip');
});

it.each([
  ['English', english, 'Pause \u2068محمد\u2069', 'joins \u2068دعم\u2069 with penalty 2'],
  ['Italian', italian, 'Metti in pausa \u2068محمد\u2069', 'entra in \u2068دعم\u2069 con penalità 2'],
])('is what sentences have, in %s', (_, texts, title, change) => {
  expect(texts.pause.title('محمد')).toBe(title);
  expect(texts.queues.joins('دعم', 2)).toBe(change);
});
