import { act, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import type { Me, WaitingCaller } from '../api/types';
import type { Live } from '../live/useLive';
import { ActionsProvider, useActions } from './ActionsProvider';
import {
  agentOf,
  callerOf,
  documentOf,
  errorBody,
  FakeBackend,
  grantOf,
  liveOf,
  memberOf,
  meOf,
  queueOf,
} from './testing';

// Roles are slow to compute on a busy machine
jest.setTimeout(30_000);

let backend: FakeBackend;
const toasts: Array<{ type: string; payload: string[] }> = [];

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => backend,
  getAppEvents: () => ({ publish: (event: (typeof toasts)[number]) => toasts.push(event) }),
}));

beforeEach(() => {
  backend = new FakeBackend();
  toasts.length = 0;
});

function Buttons({ caller }: { caller: WaitingCaller }) {
  const actions = useActions();
  return (
    <>
      <button onClick={() => actions.pause('1001')}>open pause</button>
      <button onClick={() => actions.unpause('1001')}>open unpause</button>
      <button onClick={() => actions.editQueues('1001')}>open queues</button>
      <button onClick={() => actions.changePriority('billing', caller)}>open priority</button>
      <button onClick={() => actions.withdraw('billing', caller)}>open withdraw</button>
      <output aria-label="pending">{actions.pendingOf('agent:1001') ?? 'no'}</output>
    </>
  );
}

interface PanelProps {
  me?: Me;
  caller?: WaitingCaller;
  live?: Live;
}

function Panel({ me = meOf(), caller = callerOf(), live = liveOf(documentWith(caller)) }: PanelProps) {
  return (
    <ActionsProvider me={me} live={live}>
      <Buttons caller={caller} />
    </ActionsProvider>
  );
}

function documentWith(caller: WaitingCaller) {
  const document = documentOf();
  document.queues.billing.waiting = [caller];
  return document;
}

async function open(name: string, props: PanelProps = {}) {
  const user = userEvent.setup({ delay: null });
  const { rerender } = render(<Panel {...props} />);
  await user.click(screen.getByRole('button', { name: `open ${name}` }));
  return { user, show: (next: { me?: Me; live?: Live }) => rerender(<Panel {...next} />) };
}

function button(name: string | RegExp) {
  return screen.getByRole('button', { name });
}

async function tabTo(user: ReturnType<typeof userEvent.setup>, element: HTMLElement) {
  for (let count = 0; count < 10 && document.activeElement !== element; count++) {
    await user.tab();
  }
  expect(element).toHaveFocus();
}

async function isClosed() {
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
}

function result(change: string, outcome = 'done', queues: string[] = ['billing', 'support']) {
  return {
    action: 'pause',
    switchboard: 'milano',
    result: outcome,
    queues: queues.map((queue) => ({ queue, change, result: outcome, message: '', seen: outcome === 'done' })),
  };
}

describe('pausing', () => {
  it('by keyboard alone: a reason, the button, and the switchboard has confirmed it', async () => {
    const { user } = await open('pause');
    expect(screen.getByRole('dialog', { name: 'Pause Anna Rossi' })).toBeVisible();
    expect(screen.getByRole('radio', { name: 'Lunch' })).toHaveFocus();
    await user.keyboard(' ');
    await tabTo(user, button('Pause'));
    await user.keyboard('{Enter}');

    expect(backend.only).toMatchObject({
      method: 'POST',
      url: '/api/plugin-proxy/asterpanel-app/control/v1/switchboards/milano/agents/1001/pause',
      data: { reason: 'Lunch' },
    });
    expect(screen.getByText('Waiting for the switchboard…')).toBeVisible();
    expect(screen.getByLabelText('pending')).toHaveTextContent('pending');
    expect(toasts).toEqual([]);

    act(() => backend.only.answer(result('pause')));
    await isClosed();
    expect(toasts).toEqual([{ type: 'alert-success', payload: ['Anna Rossi is paused: Lunch'] }]);
    expect(screen.getByText(/^Anna Rossi is paused: Lunch/)).toBeInTheDocument();
    expect(screen.getByLabelText('pending')).toHaveTextContent('no');
    await waitFor(() => expect(button('open pause')).toHaveFocus());
  });

  it('needs one of the reasons that there are', async () => {
    const { user } = await open('pause');
    expect(button('Pause')).toBeDisabled();
    expect(screen.getByText('Choose a reason.')).toBeVisible();
    await user.click(screen.getByRole('radio', { name: 'Break' }));
    expect(button('Pause')).toBeEnabled();
  });

  it('takes any text where none are configured, if the switchboard can take it', async () => {
    const { user } = await open('pause', { me: meOf({ pause_reasons: [] }) });
    const field = screen.getByRole('textbox', { name: /^Reason/ });
    await user.type(field, 'a|b');
    expect(button('Pause')).toBeDisabled();
    expect(screen.getByRole('alert')).toHaveTextContent('U+007C');
    await user.clear(field);
    await user.type(field, ' Caffè {Enter}');
    expect(backend.only.data).toEqual({ reason: 'Caffè' });
  });

  it('only in some queues, of those where one may', async () => {
    const me = meOf({ grants: [grantOf({ queues: ['billing', 'sales'] }), grantOf({ rights: ['see'] })] });
    const { user } = await open('pause', { me });
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    await user.click(screen.getByRole('radio', { name: 'Only in some queues' }));
    expect(button('Pause')).toBeDisabled();
    expect(screen.getAllByRole('checkbox')).toHaveLength(1);
    await user.click(screen.getByRole('checkbox', { name: 'billing' }));
    await user.click(button('Pause'));
    expect(backend.only.data).toEqual({ reason: 'Lunch', queues: ['billing'] });
    act(() => backend.only.answer(result('pause', 'done', ['billing'])));
    await isClosed();
    expect(toasts[0].payload).toEqual(['Anna Rossi is paused in billing: Lunch']);
  });

  it('in all queues says so, if those are only the ones where one may', async () => {
    const me = meOf({ grants: [grantOf({ queues: ['billing', 'sales'] }), grantOf({ rights: ['see'] })] });
    const { user } = await open('pause', { me });
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    expect(screen.getByRole('radio', { name: 'In all queues where you may pause him' })).toBeChecked();
    await user.click(button('Pause'));
    expect(backend.only.data).toEqual({ reason: 'Lunch' });
    act(() => backend.only.answer(result('pause', 'done', ['billing'])));
    await isClosed();
    expect(toasts[0].payload).toEqual(['Anna Rossi is paused in billing: Lunch']);
  });

  it('cannot be asked for where there is no membership to pause', async () => {
    const { user, show } = await open('pause');
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    expect(button('Pause')).toBeEnabled();
    show({ live: liveOf(documentOf({ queues: {} })) });
    expect(button('Pause')).toBeDisabled();
  });

  it('asks once, however often the button is hit', async () => {
    const { user } = await open('pause');
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    await user.dblClick(button('Pause'));
    await user.keyboard('{Enter}{Enter}');
    expect(backend.requests).toHaveLength(1);
  });

  it('closing does not take it back: the result is told all the same', async () => {
    const { user } = await open('pause');
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    await user.click(button('Pause'));
    await user.keyboard('{Escape}');
    await isClosed();
    expect(screen.getByLabelText('pending')).toHaveTextContent('pending');
    act(() => backend.only.refuse(503, errorBody('not_connected')));
    await waitFor(() => expect(toasts).toHaveLength(1));
    expect(toasts[0].type).toBe('alert-error');
    expect(toasts[0].payload[0]).toBe('Pause Anna Rossi');
    expect(toasts[0].payload[1]).toContain('There is no connection to the switchboard.');
    expect(screen.getByLabelText('pending')).toHaveTextContent('no');
  });

  it('is told of all the same if the page was left with the dialog open', async () => {
    const user = userEvent.setup({ delay: null });
    const { unmount } = render(<Panel />);
    await user.click(button('open pause'));
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    await user.click(button('Pause'));
    unmount();
    backend.only.refuse(503, errorBody('not_connected'));
    await waitFor(() => expect(toasts).toHaveLength(1));
    expect(toasts[0].payload[0]).toBe('Pause Anna Rossi');
  });

  it('that failed says why, in words and in the API’s own, and can be asked for again', async () => {
    const { user } = await open('pause');
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    await user.click(button('Pause'));
    act(() => backend.only.refuse(409, errorBody('busy_agent', 'others are changing agent 1001')));
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent('Others are changing the same agent or caller right now.');
    expect(alert).toHaveTextContent('others are changing agent 1001');
    expect(screen.getByRole('radio', { name: 'Lunch' })).toBeChecked();
    await user.click(button('Pause'));
    expect(backend.requests).toHaveLength(2);
    expect(toasts).toEqual([]);
  });

  it('confirmed and not yet seen stays open, and says so', async () => {
    const { user } = await open('pause');
    await user.click(screen.getByRole('radio', { name: 'Lunch' }));
    await user.click(button('Pause'));
    act(() => backend.only.answer(result('pause', 'accepted')));
    const list = await screen.findByRole('list', { name: 'Result queue by queue' });
    expect(within(list).getByText('billing').parentElement).toHaveTextContent('pause: confirmed, not yet seen');
    expect(screen.queryByRole('button', { name: 'Pause' })).not.toBeInTheDocument();
    await user.click(screen.getAllByRole('button', { name: 'Close' })[0]);
    await isClosed();
  });
});

describe('ending a pause', () => {
  it('asks once more', async () => {
    const member = memberOf({ paused: true, pause_reason: 'Lunch' });
    const document = documentOf({ queues: { billing: queueOf({ '1001': member }) } });
    const { user } = await open('unpause', { live: liveOf(document) });
    expect(screen.getByText(/Paused in: billing \(Lunch\)/)).toBeVisible();
    expect(backend.requests).toEqual([]);
    expect(button('End the pause')).toHaveFocus();
    await user.keyboard('{Enter}');
    expect(backend.only).toMatchObject({ url: expect.stringMatching(/agents\/1001\/unpause$/), data: {} });
  });
});

it('a pause that is none cannot be ended', async () => {
  await open('unpause');
  expect(screen.getByText(/^There is no pause/)).toBeVisible();
  expect(button('End the pause')).toBeDisabled();
});

describe('an agent’s queues', () => {
  it('shows the difference before it is applied, and sends the whole set', async () => {
    const { user } = await open('queues');
    expect(button('No change to apply')).toBeDisabled();
    await user.click(screen.getByRole('checkbox', { name: 'billing' }));
    await user.click(screen.getByRole('checkbox', { name: 'sales' }));
    await user.clear(screen.getByRole('spinbutton', { name: 'Penalty in sales' }));
    await user.type(screen.getByRole('spinbutton', { name: 'Penalty in sales' }), '2');
    await user.clear(screen.getByRole('spinbutton', { name: 'Penalty in support' }));
    await user.type(screen.getByRole('spinbutton', { name: 'Penalty in support' }), '4');
    const changes = within(screen.getByRole('list', { name: 'Changes' })).getAllByRole('listitem');
    expect(changes.map((change) => change.textContent)).toEqual([
      'joins sales with penalty 2',
      'support: penalty 3 → 4',
      'leaves billing',
    ]);
    await user.click(button('Apply 3 changes'));
    expect(backend.only).toMatchObject({
      method: 'PUT',
      url: expect.stringMatching(/agents\/1001\/queues$/),
      data: {
        queues: [
          { queue: 'sales', penalty: 2 },
          { queue: 'support', penalty: 4 },
        ],
        among: ['billing', 'support', 'sales'],
      },
    });
  });

  it('is not applied by Enter in a field: the difference is to be read first', async () => {
    const { user } = await open('queues');
    await user.type(screen.getByRole('spinbutton', { name: 'Penalty in support' }), '4{Enter}');
    expect(backend.requests).toEqual([]);
    expect(button('Apply 1 change')).toBeEnabled();
  });

  it('does not send a penalty that is none', async () => {
    const { user } = await open('queues');
    await user.clear(screen.getByRole('spinbutton', { name: 'Penalty in support' }));
    expect(screen.getByRole('alert')).toHaveTextContent('A whole number from 0');
    expect(button('No change to apply')).toBeDisabled();
  });

  it('a fixed membership cannot be ended here, says why, and is always sent', async () => {
    const document = documentOf({
      queues: { billing: queueOf({ '1001': memberOf({ dynamic: false }) }), sales: queueOf() },
    });
    const { user } = await open('queues', { live: liveOf(document) });
    const fixed = screen.getByRole('checkbox', { name: 'billing' });
    expect(fixed).toBeChecked();
    expect(fixed).toBeDisabled();
    expect(fixed).toHaveAccessibleDescription(/configuration/);
    await user.click(screen.getByRole('checkbox', { name: 'sales' }));
    await user.click(button('Apply 1 change'));
    expect(backend.only.data).toEqual({
      queues: [{ queue: 'billing' }, { queue: 'sales', penalty: 0 }],
      among: ['billing', 'sales'],
    });
  });

  it('leaves queues without the right alone', async () => {
    const me = meOf({ grants: [grantOf({ queues: ['sales'] }), grantOf({ role: 'viewer', rights: ['see'] })] });
    const { user } = await open('queues', { me });
    expect(screen.getAllByRole('checkbox').map((box) => (box as HTMLInputElement).labels?.[0].textContent)).toEqual([
      'sales',
    ]);
    await user.click(screen.getByRole('checkbox', { name: 'sales' }));
    await user.click(button('Apply 1 change'));
    expect(backend.only.data).toEqual({ queues: [{ queue: 'sales', penalty: 0 }], among: ['sales'] });
  });

  it('says when somebody else changes the same, and can take it over', async () => {
    const { user, show } = await open('queues');
    await user.click(screen.getByRole('checkbox', { name: 'sales' }));
    const document = documentOf();
    document.queues.support = queueOf();
    show({ live: liveOf(document) });
    expect(screen.getByRole('alert')).toHaveTextContent('support');
    expect(button('Apply 2 changes')).toBeDisabled();
    await user.click(button('Take it over'));
    expect(screen.getByRole('checkbox', { name: 'support' })).not.toBeChecked();
    expect(screen.getByRole('checkbox', { name: 'sales' })).toBeChecked();
    expect(button('Apply 1 change')).toBeEnabled();
  });

  it('done in part stays open, and tells each queue', async () => {
    const { user } = await open('queues');
    await user.click(screen.getByRole('checkbox', { name: 'billing' }));
    await user.click(button('Apply 1 change'));
    const queues = [
      { queue: 'support', change: 'keep', result: 'already_so', message: '', seen: true },
      { queue: 'billing', change: 'remove', result: 'refused', message: 'Permission denied', seen: false },
    ];
    act(() => backend.only.answer({ action: 'set_queues', switchboard: 'milano', result: 'partial', queues }));
    const list = await screen.findByRole('list', { name: 'Result queue by queue' });
    const [kept, refused] = within(list).getAllByRole('listitem');
    expect(kept).toHaveTextContent('support – unchanged: was so already');
    expect(refused).toHaveTextContent('billing – leave: not done: the switchboard refused');
    expect(refused).toHaveTextContent('Permission denied');
    expect(button('Apply 1 change')).toBeEnabled();
  });
});

describe('waiting callers', () => {
  it('get another priority', async () => {
    const { user } = await open('priority');
    expect(screen.getByRole('dialog', { name: 'Change priority of …78 in billing' })).toBeVisible();
    const field = screen.getByRole('spinbutton', { name: /^Priority/ });
    expect(button('Change priority')).toBeDisabled();
    await user.clear(field);
    await user.type(field, '-3{Enter}');
    expect(backend.only).toMatchObject({
      url: expect.stringMatching(/queues\/billing\/callers\/17\.1\/priority$/),
      data: { priority: -3, immediate: true },
    });
  });

  it('whose priority is not known have none in the field either', async () => {
    const { user } = await open('priority', {
      caller: callerOf({ priority: undefined }),
    });
    expect(screen.getByText('Now: position 1')).toBeVisible();
    const field = screen.getByRole('spinbutton', { name: /^Priority/ });
    expect(field).toHaveValue(null);
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
    expect(button('Change priority')).toBeDisabled();
    await user.type(field, '0');
    expect(button('Change priority')).toBeEnabled();
  });

  it('are withdrawn after a confirmation, never by Enter in the field', async () => {
    const { user } = await open('withdraw');
    await user.type(screen.getByRole('textbox'), 'vip{Enter}');
    expect(backend.requests).toEqual([]);
    await user.click(button('Withdraw'));
    expect(backend.only).toMatchObject({
      url: expect.stringMatching(/callers\/17\.1\/withdraw$/),
      data: { info: 'vip' },
    });
  });

  it('that have gone meanwhile cannot be moved any more', async () => {
    const { show } = await open('withdraw');
    show({ live: liveOf(documentOf({ queues: { billing: queueOf() } })) });
    expect(screen.getByRole('alert')).toHaveTextContent('no longer waiting in billing');
    expect(button('Withdraw')).toBeDisabled();
  });
});

describe('what is known', () => {
  it.each([
    ['old', { stale: true }, 'What you see is as of 00:18:20'],
    ['of a switchboard that is away', { up: false }, 'The switchboard is not connected'],
    ['nothing', { document: null }, 'Nothing is known of the switchboard'],
  ])('is %s: the dialog says so', async (_, change, words) => {
    await open('pause', { live: liveOf(documentOf({ agents: { '1001': agentOf() } }), change as Partial<Live>) });
    expect(screen.getAllByRole('alert')[0]).toHaveTextContent(words);
  });

  it('of another switchboard: its dialog does not act on this one', async () => {
    const { show } = await open('pause');
    show({ live: liveOf(documentOf({ switchboard: 'torino' }), { switchboard: 'torino' }) });
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  });
});
