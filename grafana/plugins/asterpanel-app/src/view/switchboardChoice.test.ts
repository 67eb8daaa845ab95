import { shownSwitchboard, variableName } from './switchboardChoice';

const IN_SIGHT = ['milano', 'roma', 'torino'];

describe('shownSwitchboard', () => {
  it.each([
    ['the variable names one', '"roma"', 'roma'],
    ['it names one, as Grafana 10 writes it', 'roma', 'roma'],
    ['it names one in a list', '["roma"]', 'roma'],
    ['it names several', '["roma","torino"]', 'milano'],
    ['nothing is selected', '""', 'milano'],
    ['all are, by a value of its own', '.*', 'milano'],
    ['all are, before Grafana knows which', '["$__all"]', 'milano'],
    ['the dashboard has no such variable', '${switchboard:json}', 'milano'],
    ['there is no option', '', 'milano'],
  ])('%s', (_, variable, shown) => {
    expect(shownSwitchboard(IN_SIGHT, variable, null)).toEqual({ switchboard: shown });
  });

  it.each(['"napoli"', '["napoli"]', 'napoli'])('is none in place of the only one that is named: %s', (variable) => {
    expect(shownSwitchboard(IN_SIGHT, variable, null)).toEqual({ switchboard: null, outOfSight: 'napoli' });
    const choice = { switchboard: 'roma', variable };
    expect(shownSwitchboard(IN_SIGHT, variable, choice)).toEqual({ switchboard: 'roma' });
  });

  it('keeps the choice made in the panel for as long as the variable stays what it was', () => {
    const choice = { switchboard: 'torino', variable: '["roma","torino"]' };
    expect(shownSwitchboard(IN_SIGHT, '["roma","torino"]', choice)).toEqual({ switchboard: 'torino' });
    expect(shownSwitchboard(IN_SIGHT, '"roma"', choice)).toEqual({ switchboard: 'roma' });
  });

  it('does not keep a choice that is out of sight by now', () => {
    expect(shownSwitchboard(['roma'], '""', { switchboard: 'milano', variable: '""' })).toEqual({
      switchboard: 'roma',
    });
  });

  it('is none if none is in sight', () => {
    expect(shownSwitchboard([], '""', null)).toEqual({ switchboard: null, outOfSight: null });
  });
});

describe('variableName', () => {
  it.each(['switchboard', '$switchboard', '${switchboard}', ' $switchboard '])('of %p', (option) => {
    expect(variableName(option)).toBe('switchboard');
  });

  it.each(['', '$', 'two words'])('there is none in %p', (option) => {
    expect(variableName(option)).toBe('');
  });
});
