import { locationService } from '@grafana/runtime';
import { act, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import {
  agentMe,
  agentOf,
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
import MePage from './MePage';

// Roles are slow to compute on a busy machine
jest.setTimeout(30_000);

let backend: FakeBackend;

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => backend,
}));

beforeEach(() => {
  backend = new FakeBackend();
  FakeEventSource.install();
});

/** Open the page as somebody, at an address, with a live state that arrives (null: none does). */
async function open(me: Me, { search = '', document = documentOf() as LiveState | null } = {}) {
  const user = userEvent.setup({ delay: null });
  backend.standing.set('/v1/me', me);
  locationService.push(`/a/asterpanel-app/me${search}`);
  render(<MePage />);
  await screen.findByLabelText('Who I am');
  if (document) {
    await waitFor(() => expect(FakeEventSource.latest).toBeDefined());
    act(() => {
      FakeEventSource.latest!.send('snapshot', document);
      FakeEventSource.latest!.send('heartbeat', { up: true, as_of: 1100, now: 1101, age_s: 0, stale: false });
    });
    await screen.findByText(/^Data as of/);
  }
  return user;
}

function factsOf(name: string): Record<string, string | null> {
  const pairs = within(screen.getByLabelText(name, { selector: 'dl' })).getAllByRole('term');
  return Object.fromEntries(pairs.map((term) => [term.textContent, term.nextElementSibling?.textContent ?? null]));
}

function done(action: string, change: string) {
  const queues = [{ queue: 'billing', change, result: 'done', message: '', seen: true }];
  return { action, switchboard: 'milano', result: 'done', queues };
}

it('tells who I am, how my agent is, my queues, and my figures of today', async () => {
  await open(agentMe());
  expect(factsOf('Who I am')).toEqual({ Name: 'Anna Rossi', Login: 'anna', Role: 'Agent' });
  await waitFor(() =>
    expect(factsOf('State')).toMatchObject({ Agent: 'Anna Rossi (1001)', Switchboard: 'milano', State: 'Free' })
  );
  const [, billing, support] = within(screen.getByRole('table', { name: 'My queues' })).getAllByRole('row');
  expect(within(billing).getByRole('rowheader')).toHaveTextContent('billing');
  expect(
    within(billing)
      .getAllByRole('cell')
      .map((cell) => cell.textContent)
  ).toEqual(['1', '0']);
  expect(
    within(support)
      .getAllByRole('cell')
      .map((cell) => cell.textContent)
  ).toEqual(['0', '3']);
  expect(factsOf('Today')).toEqual({ 'Calls answered': '12', 'Talk time': '1:02:03', Missed: '2' });
  expect(screen.queryByRole('button', { name: 'End my pause' })).not.toBeInTheDocument();
});

it('pauses me for a reason after one confirmation, and tells what the switchboard said', async () => {
  const user = await open(agentMe());
  await user.click(await screen.findByRole('button', { name: 'Pause: Lunch' }));
  const dialog = screen.getByRole('dialog', { name: 'Pause me' });
  expect(dialog).toHaveTextContent('Pause for “Lunch”?');
  expect(backend.requests).toEqual([]);
  await user.click(within(dialog).getByRole('button', { name: 'Pause' }));

  expect(backend.only).toMatchObject({
    url: expect.stringMatching(/milano\/agents\/1001\/pause$/),
    data: { reason: 'Lunch' },
  });
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  expect(screen.getByText('Waiting for the switchboard…')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Pause: Lunch' })).toBeDisabled();
  act(() => backend.only.answer(done('pause', 'pause')));
  expect(await screen.findByText('You are paused: Lunch')).toBeVisible();
});

it('ends my pause, also one in a single queue', async () => {
  const document = documentOf();
  document.queues.billing.members['1001'] = memberOf({ paused: true, pause_reason: 'Lunch' });
  const user = await open(agentMe(), { document });
  await user.click(await screen.findByRole('button', { name: 'End my pause' }));
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'End my pause' }));
  expect(backend.only).toMatchObject({ url: expect.stringMatching(/agents\/1001\/unpause$/), data: {} });
  act(() =>
    backend.only.refuse(504, errorBody('timed_out', 'no answer', { queues: done('unpause', 'unpause').queues }))
  );
  expect(await screen.findByRole('alert')).toHaveTextContent('was asked and did not answer');
});

it('shows a pause with its reason and how long it lasts', async () => {
  const paused = agentOf({ state: 'paused', paused: true, pause_reason: 'Lunch', paused_since: 1041 });
  await open(agentMe(), { document: documentOf({ agents: { '1001': paused } }) });
  await waitFor(() => expect(factsOf('State')).toMatchObject({ State: 'Paused', 'Reason of the pause': 'Lunch' }));
  expect(factsOf('State')['Paused for']).toMatch(/1:0\d$/);
});

it('names the queues, where I may not pause myself in all of mine', async () => {
  const document = documentOf({ switchboard: 'partly' });
  const grants = [
    grantOf({ role: 'agent', rights: ['see_own', 'pause_self'], own: { '*': '1001' }, queues: ['billing'] }),
    grantOf({ role: 'viewer', rights: ['see'] }),
  ];
  const user = await open(agentMe(['partly'], { grants }), { document });
  await user.click(await screen.findByRole('button', { name: 'Pause: Lunch' }));
  const dialog = screen.getByRole('dialog', { name: 'Pause me' });
  expect(dialog).toHaveTextContent('You get no calls from these queues on partly: billing, until you end the pause.');
  await user.click(within(dialog).getByRole('button', { name: 'Pause' }));
  act(() => backend.only.answer(done('pause', 'pause')));
  expect(await screen.findByText('You are paused in billing: Lunch')).toBeVisible();
});

describe('what came of it', () => {
  const paused = (isPaused: boolean) => ({
    as_of: 1102,
    queues: { billing: { members: { '1001': { paused: isPaused } } } },
  });
  const tell = (patch: object) =>
    act(async () => {
      FakeEventSource.latest!.send('patch', patch);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    });

  it('is told until the pause is another one', async () => {
    const user = await open(agentMe());
    await user.click(await screen.findByRole('button', { name: 'Pause: Lunch' }));
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Pause' }));
    act(() => backend.only.answer(done('pause', 'pause')));
    await screen.findByText('You are paused: Lunch');
    await tell(paused(true)); // what was asked for
    expect(screen.getByText('You are paused: Lunch')).toBeVisible();
    await tell(paused(false)); // the supervisor has ended it
    expect(screen.queryByText('You are paused: Lunch')).not.toBeInTheDocument();
  });

  it('is told for a minute', async () => {
    const user = await open(agentMe());
    await user.click(await screen.findByRole('button', { name: 'Pause: Lunch' }));
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Pause' }));
    jest.useFakeTimers({ doNotFake: ['requestAnimationFrame', 'queueMicrotask', 'performance', 'Date'] });
    try {
      await act(async () => backend.only.answer(done('pause', 'pause')));
      act(() => jest.advanceTimersByTime(59_000));
      expect(screen.getByText('You are paused: Lunch')).toBeVisible();
      act(() => jest.advanceTimersByTime(1_000));
      expect(screen.queryByText('You are paused: Lunch')).not.toBeInTheDocument();
    } finally {
      jest.useRealTimers();
    }
  });
});

it('shows nothing any more of what I may not see any more, and asks for my rights again', async () => {
  const document = documentOf({ switchboard: 'lost' });
  const user = await open(agentMe(['lost']), { document });
  await screen.findByRole('button', { name: 'Pause: Lunch' });
  act(() => FakeEventSource.latest!.send('end', { reason: 'right_ended' }));
  expect(await screen.findByText('You may not see this switchboard any more')).toBeVisible();
  expect(screen.queryByRole('button', { name: /Pause/ })).not.toBeInTheDocument();
  expect(screen.queryByText(/Anna Rossi \(/)).not.toBeInTheDocument();
  backend.standing.set('/v1/me', meOf());
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('You are not an agent')).toBeVisible();
});

it('says why my state does not arrive, if it never did', async () => {
  await open(agentMe(['away']), { document: null });
  await waitFor(() => expect(FakeEventSource.latest).toBeDefined());
  act(() => FakeEventSource.latest!.refuse());
  await act(async () => backend.only.refuse(502));
  expect(await screen.findByText('The control API does not answer')).toBeVisible();
});

describe('a link', () => {
  it('opens the confirmation at once, does nothing without it, and is used up', async () => {
    const user = await open(agentMe(), { search: '?switchboard=milano&action=pause&reason=Break' });
    const dialog = await screen.findByRole('dialog', { name: 'Pause me' });
    expect(dialog).toHaveTextContent('Break');
    expect(backend.requests).toEqual([]);
    await user.click(within(dialog).getByRole('button', { name: 'Cancel' }));
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    expect(locationService.getSearch().toString()).toBe('switchboard=milano');
    expect(backend.requests).toEqual([]);
  });

  it('is followed after the confirmation', async () => {
    const user = await open(agentMe(), { search: '?action=unpause' });
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'End my pause' }));
    expect(backend.only.url).toMatch(/agents\/1001\/unpause$/);
    expect(locationService.getSearch().toString()).toBe('');
  });

  it('that is confirmed while something is pending changes nothing of what is told', async () => {
    const user = await open(agentMe());
    await user.click(await screen.findByRole('button', { name: 'Pause: Lunch' }));
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Pause' }));
    act(() => locationService.partial({ action: 'unpause' }));
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'End my pause' }));
    act(() => backend.only.answer(done('pause', 'pause')));
    expect(await screen.findByText('You are paused: Lunch')).toBeVisible();
  });

  it('that cannot be followed says why, and asks for nothing', async () => {
    await open(agentMe(), { search: '?action=pause&reason=Siesta' });
    expect(screen.getByRole('alert')).toHaveTextContent('“Siesta” is none of the reasons');
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  });
});

it('lets me choose, where I am an agent on several switchboards', async () => {
  const user = await open(agentMe(['milano', 'torino']));
  await user.selectOptions(screen.getByRole('combobox', { name: 'Current switchboard' }), 'torino');
  expect(locationService.getSearch().get('switchboard')).toBe('torino');
  await waitFor(() => expect(FakeEventSource.latest?.url).toMatch(/torino\/stream$/));
});

it('says what to do when I am in no queue', async () => {
  await open(agentMe(), { document: documentOf({ queues: { sales: queueOf() }, agents: {} }) });
  expect(await screen.findByText('You are in no queue at present')).toBeVisible();
  expect(factsOf('State')).toEqual({ Agent: '1001', Switchboard: 'milano' });
  expect(screen.queryByRole('button', { name: /^Pause/ })).not.toBeInTheDocument();
});

it('lets me ask for a pause while nothing is known of the switchboard', async () => {
  const user = await open(agentMe(['unheard']), { document: null });
  await user.click(await screen.findByRole('button', { name: 'Pause: Lunch' }));
  expect(screen.getByRole('dialog')).toHaveTextContent('it may refuse');
});

it('takes any reason where none are configured', async () => {
  const user = await open(agentMe(['milano'], { pause_reasons: [] }));
  await user.type(await screen.findByRole('textbox', { name: /^Reason/ }), 'Caffè{Enter}');
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Pause' }));
  expect(backend.only.data).toEqual({ reason: 'Caffè' });
});

it('says to who is no agent what to ask for', async () => {
  await open(meOf(), { document: null });
  expect(screen.getByText('You are not an agent')).toBeVisible();
  expect(screen.getByText(/Grafana user anna/)).toBeVisible();
});

it('draws no buttons for whom may not pause himself', async () => {
  const grants = [grantOf({ role: 'viewer', rights: ['see_own', 'see'], own: { '*': '1001' } })];
  await open(agentMe(['milano'], { roles: ['viewer'], grants }));
  expect(await screen.findByText(/Your role may not pause you/)).toBeVisible();
  expect(screen.queryByRole('button', { name: /Pause/ })).not.toBeInTheDocument();
});

it('says why it cannot be told who I am', async () => {
  render(<MePage />);
  await waitFor(() => expect(backend.requests).toHaveLength(1));
  act(() => backend.only.refuse(401, errorBody('unauthenticated', 'Not authenticated')));
  expect(await screen.findByRole('alert')).toHaveTextContent('Not authenticated');
});
