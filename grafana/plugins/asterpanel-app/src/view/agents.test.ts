import fc from 'fast-check';

import { agentOf, documentOf, memberOf, queueOf } from '../actions/testing';
import type { AgentState, LiveState } from '../api/types';
import { applyMergePatch } from '../live/mergePatch';
import { AGENT_FIGURES, AGENT_STATES, agentRows, filteredAgents } from './agents';

const NO_FILTER = { states: [], hideUnavailable: false, queue: null };

function documentWith(agents: LiveState['agents'], queues: LiveState['queues'] = {}): LiveState {
  return documentOf({ agents, queues });
}

describe('agentRows', () => {
  it('has his id where he has no name', () => {
    const [row] = agentRows()(documentWith({ '1001': agentOf({ name: '' }) }));
    expect(row).toMatchObject({ key: '1001', name: '1001' });
  });

  it('tells in which queues he is paused while he is not in others', () => {
    const queues = {
      billing: queueOf({ 'PJSIP/1001': memberOf({ agent: '1001', paused: true }) }),
      sales: queueOf({ '1001': memberOf() }),
      support: queueOf({ '1001': memberOf({ paused: true }) }),
    };
    expect(agentRows()(documentWith({ '1001': agentOf() }, queues))[0].pausedIn).toEqual(['billing', 'support']);
    expect(agentRows()(documentWith({ '1001': agentOf({ paused: true }) }, queues))[0].pausedIn).toEqual([]);
  });

  it('after a patch of one agent, all the other rows are the same objects', () => {
    const ids = Array.from({ length: 50 }, (_, at) => String(1000 + at));
    const start = documentWith(Object.fromEntries(ids.map((id) => [id, agentOf({ name: id })])));
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.constantFrom(...AGENT_STATES), (id, state) => {
        const rows = agentRows();
        const before = rows(start);
        const after = rows(applyMergePatch(start, { agents: { [id]: { state, since: 5 } } }));
        const changed = after.filter((row, at) => row !== before[at]);
        expect(changed.map(({ key }) => key)).toEqual([id]);
        expect(changed[0].agent.state).toBe(state);
      })
    );
  });

  it('is the same list while only the time goes on', () => {
    const rows = agentRows();
    const document = documentOf();
    expect(rows({ ...document, as_of: 5 })).toBe(rows(document));
  });
});

describe('filteredAgents', () => {
  const rows = agentRows()(
    documentWith({
      '1': agentOf({ state: 'idle', queues: ['sales'] }),
      '2': agentOf({ state: 'paused', queues: ['sales', 'billing'] }),
      '3': agentOf({ state: 'unavailable', queues: [] }),
    })
  );
  const keys = (filter: object) => filteredAgents(rows, { ...NO_FILTER, ...filter }).map(({ key }) => key);

  it('shows all by itself', () => expect(keys({})).toEqual(['1', '2', '3']));
  it('goes by states', () => expect(keys({ states: ['idle', 'unavailable'] })).toEqual(['1', '3']));
  it('hides who is unavailable', () => expect(keys({ hideUnavailable: true })).toEqual(['1', '2']));
  it('goes by any of the queues', () => expect(keys({ queue: (name: string) => name === 'billing' })).toEqual(['2']));
});

describe('AGENT_FIGURES', () => {
  it('has busy states before free ones, and whom no call reaches last', () => {
    const figure = (state: AgentState) =>
      AGENT_FIGURES.state!(agentRows()(documentWith({ '1': agentOf({ state }) }))[0]);
    expect(figure('ringing')).toBeLessThan(figure('idle'));
    expect(figure('idle')).toBeLessThan(figure('paused'));
    expect(figure('paused')).toBeLessThan(figure('unavailable'));
  });

  it('takes who is longer in his state for more', () => {
    const [older, newer] = agentRows()(documentWith({ '1': agentOf({ since: 10 }), '2': agentOf({ since: 20 }) }));
    expect(AGENT_FIGURES.time!(older)).toBeGreaterThan(AGENT_FIGURES.time!(newer));
  });
});
