import { agentOf, documentOf, queueOf } from '../actions/testing';
import type { CallInProgress } from '../api/types';
import { callRows } from './calls';

const rowsOf = (calls: CallInProgress[], agents = { '1001': agentOf() }) =>
  callRows()(documentOf({ agents, queues: { billing: { ...queueOf(), in_progress: calls } } }));

describe('callRows', () => {
  it('has the name of the agent, his id if he is unknown, and nothing if he is out of sight', () => {
    const calls = [{ since: 1, agent: '1001' }, { since: 2, agent: 'constructor' }, { since: 3 }];
    expect(rowsOf(calls).map(({ agentName }) => agentName)).toEqual(['Anna Rossi', 'constructor', '']);
  });

  it('tells calls apart, with and without unique ids', () => {
    const calls = [{ since: 1, uniqueid: 'a' }, { since: 1, uniqueid: 'b' }, { since: 1 }, { since: 1 }];
    expect(new Set(rowsOf(calls).map(({ key }) => key)).size).toBe(4);
  });

  it('is found by queue, agent and id', () => {
    const [row] = rowsOf([{ since: 1, agent: '1001' }]);
    expect(row.searchable).toContain('billing');
    expect(row.searchable).toContain('anna rossi');
    expect(row.searchable).toContain('1001');
  });
});
