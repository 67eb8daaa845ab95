import { act, render, screen } from '@testing-library/react';
import React from 'react';

import { FakeEventSource } from './testing';
import { useLive } from './useLive';

jest.mock('@grafana/runtime', () => ({ config: { appSubUrl: '/grafana' } }));

const open = () => FakeEventSource.open;

let renders = 0;

function Show({ switchboard }: { switchboard: string | null }) {
  const live = useLive(switchboard);
  renders++;
  return <p>{live ? `${live.switchboard}: ${live.status} ${Object.keys(live.document?.agents ?? {})}` : 'nothing'}</p>;
}

function setVisibility(state: 'visible' | 'hidden'): void {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

const frame = () => act(() => jest.advanceTimersByTime(20));

beforeEach(() => {
  jest.useFakeTimers();
  FakeEventSource.install();
});

afterEach(() => {
  setVisibility('visible');
  jest.useRealTimers();
});

const snapshot = (...agents: string[]) => ({
  up: true,
  as_of: 1000,
  queues: {},
  agents: Object.fromEntries(agents.map((agent) => [agent, { state: 'idle' }])),
});

describe('useLive', () => {
  it('shows what the stream tells, from where Grafana is', () => {
    render(<Show switchboard="milano/1" />);
    expect(open().map((source) => source.url)).toEqual([
      '/grafana/api/plugin-proxy/asterpanel-app/control/v1/switchboards/milano%2F1/stream',
    ]);
    open()[0].send('snapshot', snapshot('1001'));
    frame();
    screen.getByText('milano/1: live 1001');
  });

  it('is one stream for all on the page, closed with the last of them', () => {
    const first = render(<Show switchboard="roma" />);
    const second = render(<Show switchboard="roma" />);
    expect(open()).toHaveLength(1);
    first.unmount();
    expect(open()).toHaveLength(1);
    second.unmount();
    expect(open()).toHaveLength(0);
  });

  it('follows another switchboard, and no longer the one before', () => {
    const { rerender } = render(<Show switchboard="torino" />);
    rerender(<Show switchboard="napoli" />);
    expect(open().map((source) => source.url)).toEqual([expect.stringContaining('/napoli/')]);
    rerender(<Show switchboard={null} />);
    expect(open()).toHaveLength(0);
    screen.getByText('nothing');
  });

  it('renders once a frame, however many patches there are', () => {
    render(<Show switchboard="bari" />);
    open()[0].send('snapshot', snapshot());
    frame();
    const before = renders;
    for (let agent = 1; agent <= 20; agent++) {
      open()[0].send('patch', { as_of: 1000 + agent, agents: { [agent]: { state: 'idle' } } });
    }
    frame();
    expect(renders).toBe(before + 1);
    expect(screen.getByText(/bari: live/).textContent).toContain('19,20');
  });

  it('gives its stream up while nobody can see it, and has it again afterwards', () => {
    render(<Show switchboard="como" />);
    setVisibility('hidden');
    for (let seconds = 0; seconds < 55; seconds += 5) {
      act(() => jest.advanceTimersByTime(5_000));
      open()[0].send('heartbeat', { up: true, as_of: 1000, now: 1000 + seconds, age_s: 0, stale: false });
    }
    act(() => jest.advanceTimersByTime(5_000));
    expect(open()).toHaveLength(0);
    setVisibility('visible');
    expect(open()).toHaveLength(1);
  });

  it('keeps a stream of a new follower that was out of sight for a moment only', () => {
    const first = render(<Show switchboard="lecco" />);
    setVisibility('hidden');
    act(() => jest.advanceTimersByTime(60_000));
    first.unmount();
    setVisibility('visible');
    render(<Show switchboard="lecco" />);
    const [stream] = open();
    setVisibility('hidden');
    setVisibility('visible');
    expect(open()).toEqual([stream]);
  });
});
