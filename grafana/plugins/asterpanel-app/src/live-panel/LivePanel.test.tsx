import { OrgRole } from '@grafana/data';
import { config } from '@grafana/runtime';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import {
  agentOf,
  callerOf,
  documentOf,
  errorBody,
  FakeBackend,
  grantOf,
  memberOf,
  meOf,
  queueOf,
} from '../actions/testing';
import type { LiveState, Me } from '../api/types';
import { FakeEventSource } from '../live/testing';
import { freshnessOf, givenBrowser, panelElement, showPanel, tell } from './testing';

// Roles are slow to compute on a busy machine
jest.setTimeout(30_000);

let backend: FakeBackend;
let board: string;
let boards = 0;
const partial = jest.fn();

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  config: { appSubUrl: '/grafana', bootData: { user: { language: 'en-US', orgRole: 'Viewer' } } },
  getBackendSrv: () => backend,
  locationService: { partial: (...args: unknown[]) => partial(...args) },
}));

beforeEach(() => {
  givenBrowser();
  partial.mockClear();
  backend = new FakeBackend();
  board = `board${++boards}`; // what is known of a switchboard is kept, as long as the page is there
  config.bootData.user.orgRole = OrgRole.Viewer;
});

function givenMe(change: Partial<Me> = {}, names = [board]): void {
  const switchboards = names.map((name) => ({ name, agent: '', rights: ['see' as const] }));
  backend.standing.set('/v1/me', meOf({ switchboards, ...change }));
}

function state(change: Partial<LiveState> = {}): LiveState {
  return documentOf({ switchboard: board, ...change });
}

/** Agents named A to E, in various states. */
function people(): LiveState {
  return state({
    agents: {
      '1': agentOf({ name: 'Elena', state: 'idle', since: 1000 }),
      '2': agentOf({ name: 'Dario', state: 'on_call', since: 900 }),
      '3': agentOf({ name: 'Carla', state: 'unavailable', since: 800 }),
      '4': agentOf({
        name: 'Bruno',
        state: 'paused',
        paused: true,
        pause_reason: 'Lunch',
        paused_since: 1040,
        since: 1040,
      }),
      '5': agentOf({ name: 'Anna', state: 'ringing', since: 1099 }),
    },
  });
}

// By selectors: asking a whole page for its roles takes seconds on a busy machine
const all = (element: HTMLElement, selector: string) => Array.from(element.querySelectorAll<HTMLElement>(selector));
const table = (name: string) => screen.getByLabelText(name, { selector: '[role=table]' });
const bodyRows = (name: string) => all(table(name), '[role=row]').slice(1);
const cellsOf = (row: HTMLElement) => all(row, '[role=cell]');
const headersOf = (name: string) => all(table(name), '[role=columnheader]').map((header) => header.textContent);
const header = (name: string) => within(table('Agents')).getByTitle(name).parentElement!;
const names = () => bodyRows('Agents').map((row) => cellsOf(row)[0].textContent?.replace(/\d$/, ''));
const buttonsIn = (element: HTMLElement) => all(element, 'button').map((button) => button.getAttribute('aria-label'));

describe('what is drawn', () => {
  it('has queues with who waits, agents, and calls', async () => {
    givenMe();
    const queues = {
      billing: {
        ...queueOf({ '1001': memberOf() }, [callerOf({ since: 1081, caller_name: 'Mario Verdi', priority: 5 })]),
        in_progress: [{ since: 1000, agent: '1001' }],
      },
    };
    await showPanel(state({ queues }));
    const [queue, caller] = bodyRows('Queues');
    expect(cellsOf(queue).map((cell) => cell.textContent)).toEqual(['billing', '1', '0:20', '1', '1/1', '–']);
    expect(caller).toHaveTextContent('Position 11…78Mario Verdipriority 5waits0:20');
    expect(bodyRows('Calls in progress')[0]).toHaveTextContent('billingAnna Rossi1:41');
    expect(bodyRows('Agents')[0]).toHaveTextContent('Anna Rossi1001Free1:41');
  });

  it('marks what is over its level by a word, and not by colour alone', async () => {
    givenMe();
    const levels = {
      waiting: { warning: 1, critical: 2 },
      longest_wait_s: { warning: 10, critical: 60 },
      service_level: { warning: 0.8, critical: 0.7 },
    };
    const queue = queueOf({}, [callerOf({ since: 1000 })]);
    await showPanel(
      state({ queues: { billing: { ...queue, levels, today: { ...queue.today, service_level: 0.75 } } }, agents: {} })
    );
    const cells = cellsOf(bodyRows('Queues')[0]);
    expect(cells[1]).toHaveTextContent('warning1');
    expect(cells[2]).toHaveTextContent('critical1:41');
    expect(cells[5]).toHaveTextContent('warning75%');
  });

  it('tells why and how long somebody is paused, and that he is while he talks', async () => {
    givenMe();
    await showPanel(
      state({
        agents: {
          '1': agentOf({ name: 'Bruno', state: 'on_call', paused: true, pause_reason: 'Lunch', paused_since: 1040 }),
        },
      })
    );
    expect(bodyRows('Agents')[0]).toHaveTextContent(/On a callPaused.*Lunch.*1:01/);
  });

  it('has only as many rows in the page as are in sight, and tells how many there are', async () => {
    givenMe();
    const agents = Object.fromEntries(
      Array.from({ length: 2000 }, (_, at) => [String(1000 + at), agentOf({ name: `Agent ${at}` })])
    );
    await showPanel(state({ agents }));
    expect(table('Agents')).toHaveAttribute('aria-rowcount', '2001');
    expect(bodyRows('Agents').length).toBeLessThan(60);
    expect(bodyRows('Agents')[0]).toHaveAttribute('aria-rowindex', '2');
  });

  it('touches nothing but the row of an agent when only he changes', async () => {
    givenMe();
    await showPanel(people());
    const touched = new Set<string | undefined>();
    const observer = new MutationObserver((records) =>
      records.forEach(({ target }) =>
        touched.add(target.parentElement?.closest<HTMLElement>('[data-key]')?.dataset.key)
      )
    );
    observer.observe(table('Agents'), { subtree: true, childList: true, characterData: true, attributes: true });
    await tell('patch', { as_of: 1100.5, agents: { '4': { pause_reason: 'Training' } } });
    observer.disconnect();
    expect(bodyRows('Agents')[3]).toHaveTextContent('Training');
    expect([...touched]).toEqual(['4']);
  });

  it('shows names that are written to break it as they are', async () => {
    givenMe();
    const hostile = ['<b>Bold</b>', '\u202eevil', 'محمد', '🎧'.repeat(40), 'constructor', '__proto__'];
    await showPanel(state({ agents: Object.fromEntries(hostile.map((name) => [name, agentOf({ name })])) }));
    hostile.forEach((name) => expect(within(table('Agents')).getByTitle(name)).toHaveTextContent(name));
  });

  it('has what the options say', async () => {
    givenMe();
    await showPanel(people(), {
      sections: ['agents', 'queues'],
      agentColumns: [],
      hideUnavailable: true,
      queuePattern: 'bill*',
      showSearch: false,
      showServiceLevel: false,
      showCallers: false,
    });
    expect(screen.queryByRole('table', { name: 'Calls in progress' })).not.toBeInTheDocument();
    expect(names()).toEqual(['Anna', 'Dario', 'Elena', 'Bruno']);
    expect(headersOf('Agents')).not.toContain('Pause');
    expect(bodyRows('Queues').map((row) => row.textContent)).toEqual([expect.stringMatching(/^billing/)]);
    expect(headersOf('Queues')).not.toContain('Service level');
    expect(screen.queryByLabelText('Filter')).not.toBeInTheDocument();
  });

  it('has all sections if the options name none', async () => {
    givenMe();
    await showPanel(state(), { sections: [] });
    expect(screen.getAllByRole('table').map((each) => each.getAttribute('aria-label'))).toEqual([
      'Queues',
      'Calls in progress',
      'Agents',
    ]);
  });

  it('says that the queue filter cannot be read', async () => {
    givenMe();
    await showPanel(state(), { queuePattern: '/(/' });
    expect(screen.getByText(/queue filter is not a regular expression/)).toBeVisible();
  });
});

describe('rights', () => {
  it('gives a supervisor all buttons, each with its name', async () => {
    givenMe();
    await showPanel(state());
    expect(buttonsIn(bodyRows('Agents')[0])).toEqual(['Pause Anna Rossi', 'Change queues of Anna Rossi']);
    expect(buttonsIn(bodyRows('Queues')[1])).toEqual([
      'Change priority of …78 in billing',
      'Withdraw …78 from billing',
    ]);
  });

  it('gives a viewer none, and no column for them', async () => {
    givenMe({ grants: [grantOf({ role: 'viewer', rights: ['see', 'see_own'] })] });
    await showPanel(state());
    expect(buttonsIn(bodyRows('Agents')[0])).toEqual([]);
    expect(buttonsIn(bodyRows('Queues')[1])).toEqual([]);
    expect(headersOf('Agents')).not.toContain('Actions');
  });

  it('gives an agent only his own pause', async () => {
    givenMe({ grants: [grantOf({ role: 'agent', rights: ['see', 'see_own', 'pause_self'], own: { '*': '2' } })] });
    await showPanel(state({ agents: { '1': agentOf({ name: 'Anna' }), '2': agentOf({ name: 'Bruno' }) } }));
    expect(bodyRows('Agents').map(buttonsIn)).toEqual([[], ['Pause Bruno']]);
  });

  it('gives only what a profile has: the queues and agents of its globs', async () => {
    givenMe({ grants: [grantOf({ queues: ['sales'], agents: ['1'] })] });
    const waiting = [callerOf()];
    await showPanel(
      state({
        agents: { '1': agentOf({ name: 'Anna' }), '2': agentOf({ name: 'Bruno' }) },
        queues: { billing: queueOf({}, waiting), sales: queueOf({}, waiting) },
      })
    );
    expect(bodyRows('Agents').map(buttonsIn)).toEqual([['Change queues of Anna'], []]);
    expect(bodyRows('Queues').map(buttonsIn)).toEqual([
      [],
      [],
      [],
      ['Change priority of …78 in sales', 'Withdraw …78 from sales'],
    ]);
  });

  it('offers a pause to whoever is in a queue where it may be asked for', async () => {
    givenMe({ grants: [grantOf({ queues: ['sales'] })] });
    const agents = {
      '1': agentOf({ name: 'Anna', queues: ['billing'], paused: true }),
      '2': agentOf({ name: 'Bruno', queues: ['billing', 'sales'] }),
    };
    await showPanel(state({ agents }));
    expect(bodyRows('Agents').map(buttonsIn)).toEqual([
      ['Change queues of Anna'],
      ['Pause Bruno', 'Change queues of Bruno'],
    ]);
  });

  it('offers to end a pause, and both to who is paused in some queues', async () => {
    givenMe();
    await showPanel(
      state({
        agents: { '1': agentOf({ name: 'Anna', paused: true }), '2': agentOf({ name: 'Bruno' }) },
        queues: { billing: queueOf({ '2': memberOf({ paused: true }) }) },
      })
    );
    expect(bodyRows('Agents').map(buttonsIn)).toEqual([
      ['End pause of Anna', 'Change queues of Anna'],
      ['Pause Bruno', 'End pause of Bruno', 'Change queues of Bruno'],
    ]);
    expect(bodyRows('Agents')[1]).toHaveTextContent('in billing');
  });

  it('shows what is pending on the row, which keeps its button', async () => {
    givenMe({ pause_reasons: [] });
    await showPanel(state());
    const user = userEvent.setup({ delay: null });
    const button = screen.getByLabelText('Pause Anna Rossi');
    await user.click(button);
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Pause' }));
    expect(backend.only.url).toMatch(new RegExp(`/${board}/agents/1001/pause$`));
    expect(button).toHaveAttribute('aria-disabled', 'true');
    await act(async () => backend.only.refuse(503, errorBody('not_connected')));
    expect(button).not.toHaveAttribute('aria-disabled');
  });
});

describe('time', () => {
  afterEach(() => jest.useRealTimers());

  it('ticks in all timers at once, by the switchboard’s clock', async () => {
    jest.useFakeTimers({ doNotFake: ['requestAnimationFrame'] });
    givenMe();
    await showPanel(people());
    const timers = () => all(table('Agents'), '[role=timer]').map((timer) => timer.textContent);
    expect(timers()).toEqual(['0:02', '3:21', '1:41', '1:01', 'warning1:01', '5:01']);
    act(() => jest.advanceTimersByTime(2000));
    expect(timers()).toEqual(['0:04', '3:23', '1:43', '1:03', 'warning1:03', '5:03']);
  });
});

describe('searching and sorting', () => {
  it('filters agents, queues and calls, and offers to clear what matches nothing', async () => {
    givenMe();
    await showPanel(people());
    const user = userEvent.setup({ delay: null });
    const field = screen.getByLabelText('Filter');
    await user.type(field, 'lunch');
    expect(names()).toEqual(['Bruno']);
    expect(screen.getByText('Nobody talks at the moment.')).toBeVisible();
    expect(screen.getByText('Nothing matches “lunch”.')).toBeVisible();
    await user.click(screen.getAllByText('Clear the filter')[0]);
    expect(field).toHaveValue('');
    expect(names()).toHaveLength(5);
  });

  it('sorts by a click on a header, and the other way round by a second', async () => {
    givenMe();
    await showPanel(people());
    const user = userEvent.setup({ delay: null });
    const click = (name: string) => user.click(header(name).firstElementChild!);
    expect(names()).toEqual(['Anna', 'Dario', 'Elena', 'Bruno', 'Carla']);
    expect(header('State')).toHaveAttribute('aria-sort', 'ascending');
    await click('Agent');
    expect(names()).toEqual(['Anna', 'Bruno', 'Carla', 'Dario', 'Elena']);
    await click('Agent');
    expect(names()).toEqual(['Elena', 'Dario', 'Carla', 'Bruno', 'Anna']);
    expect(header('Agent')).toHaveAttribute('aria-sort', 'descending');
    await click('Time');
    expect(names()).toEqual(['Carla', 'Dario', 'Elena', 'Bruno', 'Anna']);
    expect(header('Agent')).not.toHaveAttribute('aria-sort');
  });

  it('leaves the focus on the button of a row that moves, and on the list if the row goes', async () => {
    givenMe();
    await showPanel(people());
    const button = () => screen.getByLabelText('Pause Anna');
    act(() => button().focus());
    await tell('patch', { agents: { '5': { state: 'unavailable' } } });
    expect(names().slice(3)).toEqual(['Anna', 'Carla']);
    expect(button()).toHaveFocus();
    await tell('patch', { agents: { '5': null } });
    expect(screen.getByRole('group', { name: /^Agents/ })).toHaveFocus();
  });

  it('goes by Tab from the menu and the search field to the headers and rows', async () => {
    givenMe({}, [board, 'other']);
    await showPanel(state({ queues: {} }), { sections: ['agents'] });
    const user = userEvent.setup({ delay: null });
    const visited: string[] = [];
    for (let count = 0; count < 9; count++) {
      await user.tab();
      const element = document.activeElement!;
      visited.push(element.getAttribute('aria-label') ?? element.getAttribute('title') ?? element.tagName);
    }
    expect(visited).toEqual([
      'Current switchboard',
      'Filter',
      'Agents: list that scrolls',
      'Agent',
      'State',
      'Time',
      'Answered',
      'Pause Anna Rossi',
      'Change queues of Anna Rossi',
    ]);
  });
});

describe('a narrow panel', () => {
  it('has tabs, through which arrow keys go', async () => {
    givenMe();
    await showPanel(state(), {}, { width: 320, height: 600 });
    const tab = (name: string) => screen.getByText(name, { selector: '[role=tab] > span' }).parentElement!;
    expect(tab('Queues')).toHaveAttribute('aria-selected', 'true');
    expect(screen.queryByLabelText('Agents', { selector: '[role=table]' })).not.toBeInTheDocument();
    act(() => tab('Queues').focus());
    fireEvent.keyDown(tab('Queues'), { key: 'ArrowRight' });
    expect(tab('Agents')).toHaveFocus();
    expect(table('Agents')).toBeInTheDocument();
    fireEvent.keyDown(tab('Agents'), { key: 'End' });
    fireEvent.keyDown(tab('Calls'), { key: 'ArrowRight' });
    expect(tab('Queues')).toHaveFocus();
    expect(tab('Calls')).toHaveAttribute('tabindex', '-1');
  });

  it('tells in two lines what has no room beside each other', async () => {
    givenMe();
    await showPanel(people(), { sections: ['agents'] }, { width: 320, height: 600 });
    expect(headersOf('Agents')).toEqual(['Agent', 'Actions']);
    expect(bodyRows('Agents')[3]).toHaveTextContent(/^Bruno4Paused1:01Lunchwarning1:01/);
  });
});

describe('freshness', () => {
  it('says that it is live, and as of when the data are', async () => {
    givenMe();
    await showPanel(state());
    expect(screen.getByRole('status')).toHaveTextContent('LiveData as of 00:18:20');
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  });

  it('warns while there is no news, and keeps the buttons', async () => {
    givenMe();
    await showPanel(state());
    await tell('heartbeat', freshnessOf({ now: 1123, age_s: 23, stale: true }));
    expect(await screen.findByText(/^No news for \d\d s: what is below is as of 00:18:20$/)).toBeVisible();
    expect(screen.getByRole('alert')).toHaveTextContent(
      'No news from the switchboard: what is below is as of 00:18:20'
    );
    expect(screen.getByRole('status')).toHaveTextContent('Stale');
    expect(screen.getByLabelText('Pause Anna Rossi')).toBeEnabled();
    await tell('heartbeat', freshnessOf({ now: 1124, as_of: 1124, age_s: 0 }));
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  });

  it('warns while the switchboard is away', async () => {
    givenMe();
    await showPanel(state());
    await tell('patch', { up: false });
    expect(screen.getByRole('alert')).toHaveTextContent('The switchboard is not connected');
  });

  it('says that the right has ended, and asks again for the rights on demand', async () => {
    givenMe();
    await showPanel(state());
    await tell('end', { reason: 'right_ended' });
    expect(screen.getByRole('alert')).toHaveTextContent('You may not see this switchboard any more');
    expect(screen.queryByText('Anna Rossi')).not.toBeInTheDocument();
    expect(screen.queryByLabelText('Pause Anna Rossi')).not.toBeInTheDocument();
    expect(screen.queryByText(/00:18:20/)).not.toBeInTheDocument();
    givenMe({ grants: [], switchboards: [] });
    await userEvent.setup({ delay: null }).click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('There is no profile for you')).toBeVisible();
  });
});

describe('the switchboard', () => {
  it('is chosen in the menu: the panel shows it, and sets the dashboard’s variable', async () => {
    const other = `${board}b`;
    givenMe({}, [board, other]);
    await showPanel(state());
    const menu = screen.getByRole('combobox', { name: 'Current switchboard' });
    expect(menu).toHaveValue(board);
    await userEvent.setup({ delay: null }).selectOptions(menu, other);
    expect(partial).toHaveBeenCalledWith({ 'var-switchboard': other }, true);
    expect(FakeEventSource.open.map(({ url }) => url)).toEqual([expect.stringMatching(`/${other}/stream$`)]);
  });

  it('follows the dashboard’s variable, also after a choice in the menu', async () => {
    const other = `${board}b`;
    givenMe({}, [board, other]);
    const variable = (value: string) => ({ replaceVariables: () => JSON.stringify(value) });
    const { show } = await showPanel(state(), {}, {}, variable(board));
    const menu = screen.getByRole('combobox', { name: 'Current switchboard' });
    await userEvent.setup({ delay: null }).selectOptions(menu, other);
    expect(menu).toHaveValue(other);
    show({}, {}, variable(other));
    expect(menu).toHaveValue(other);
    show({}, {}, variable(board));
    expect(menu).toHaveValue(board);
  });

  it('that the variable names is not replaced by another one; those in sight are in the menu', async () => {
    givenMe();
    render(panelElement({}, {}, { replaceVariables: () => '"roma"' }));
    expect(await screen.findByText('You may not see roma, or there is no such switchboard')).toBeVisible();
    expect(FakeEventSource.open).toEqual([]);
    const menu = screen.getByRole('combobox', { name: 'Current switchboard' });
    expect(menu).toHaveDisplayValue('Choose a switchboard');
    await userEvent.setup({ delay: null }).selectOptions(menu, board);
    expect(screen.queryByText(/You may not see/)).not.toBeInTheDocument();
    expect(FakeEventSource.open.map(({ url }) => url)).toEqual([expect.stringMatching(`/${board}/stream$`)]);
  });

  it('is only told where there is no other', async () => {
    givenMe();
    await showPanel(state());
    expect(screen.queryByRole('combobox')).not.toBeInTheDocument();
    expect(screen.getByTitle('Current switchboard')).toHaveTextContent(board);
  });
});

describe('nothing to see', () => {
  const nothing = (change: Partial<LiveState>) => state({ queues: {}, agents: {}, ...change });

  it('says so in words', async () => {
    givenMe();
    await showPanel(nothing({}));
    expect(screen.getByText('No queues in sight.')).toBeVisible();
    expect(screen.getByText('No agents in sight.')).toBeVisible();
    expect(screen.getByText('Nobody talks at the moment.')).toBeVisible();
  });

  it('says that it is the panel’s own filter', async () => {
    givenMe();
    await showPanel(nothing({ queues: { sales: queueOf() }, agents: { '1': agentOf() } }), {
      onlyWaiting: true,
      agentStates: ['paused'],
    });
    expect(screen.getByText('Nobody waits at the moment.')).toBeVisible();
    expect(screen.getByText('No agent passes the panel’s own filter.')).toBeVisible();
  });

  it('says that it is being loaded', async () => {
    render(panelElement());
    expect(screen.getByText('Asking what you may see…')).toBeVisible();
    act(() => backend.only.answer(meOf({ switchboards: [{ name: board, agent: '', rights: ['see'] }] })));
    expect(await screen.findByText(`Connecting to ${board}…`)).toBeVisible();
  });

  it('says that there is no profile for one', async () => {
    givenMe({ switchboards: [] });
    render(panelElement());
    expect(await screen.findByText(/to add anna to one/)).toBeVisible();
  });

  it.each([
    [OrgRole.Viewer, 0],
    [OrgRole.Admin, 1],
  ])('leads who can set it up to the configuration: %s', async (orgRole, links) => {
    config.bootData.user.orgRole = orgRole;
    render(panelElement());
    act(() => backend.only.refuse(404, { message: 'plugin route match not found' }));
    expect(await screen.findByText('Asterpanel is not configured in this Grafana')).toBeVisible();
    const found = screen.queryAllByRole('link', { name: 'Open the configuration' });
    expect(found.map((link) => link.getAttribute('href'))).toEqual(
      Array(links).fill('/grafana/plugins/asterpanel-app')
    );
  });

  it('tells the control API’s own words, and tries again', async () => {
    render(panelElement());
    act(() => backend.only.refuse(401, errorBody('unauthenticated', 'the id token has expired')));
    const said = await screen.findByText('the id token has expired');
    expect(said.parentElement).toHaveTextContent('The control API says: the id token has expired');
    expect(said).toHaveAttribute('lang', 'en');
    givenMe();
    await userEvent.setup({ delay: null }).click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText(`Connecting to ${board}…`)).toBeVisible();
  });
});
