import { ApiError } from '../api/ApiError';
import type { Freshness, LiveState, State } from '../api/types';
import {
  EventStream,
  LiveConnection,
  POLL_LIMIT_MS,
  POLL_MS,
  SILENCE_MS,
  STALE_AFTER_MS,
  STREAM_AGAIN_MS,
} from './LiveConnection';
import { FakeEventSource } from './testing';

const HEARTBEAT_MS = 5_000;

/** A server and a clock that do what the test says. */
class World {
  time = 0;
  streams: FakeEventSource[] = [];
  polls: Array<{ resolve(state: State): void; reject(error: Error): void }> = [];
  private timers: Array<{ at: number; callback: () => void }> = [];

  readonly openStream = (): EventStream => {
    const stream = new FakeEventSource('');
    this.streams.push(stream);
    return stream;
  };

  readonly fetchState = (): Promise<State> =>
    new Promise((resolve, reject) => {
      this.polls.push({ resolve, reject });
    });

  readonly now = (): number => this.time;

  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  /** The machine sleeps: time goes on, and timers do not. */
  sleep(ms: number): void {
    this.time += ms;
    this.timers.forEach((timer) => (timer.at += ms));
  }

  get stream(): FakeEventSource {
    return this.streams[this.streams.length - 1];
  }

  get openStreams(): number {
    return this.streams.filter((stream) => stream.readyState !== 2).length;
  }

  /** Let time pass, and let what was promised arrive. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      await settled();
      const next = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) {
        break;
      }
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.callback();
    }
    this.time = until;
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await Promise.resolve();
  }
}

function document(asOf: number, states: Record<string, string> = { '1001': 'idle' }): LiveState {
  const agents = Object.fromEntries(Object.entries(states).map(([id, state]) => [id, { name: id, state }]));
  return { switchboard: 'milano', up: true, version: '22', as_of: asOf, queues: {}, agents } as unknown as LiveState;
}

function freshness(now: number, more: Partial<Freshness> = {}): Freshness {
  return { up: true, as_of: now, now, age_s: 0, stale: false, ...more };
}

function begin() {
  const world = new World();
  const connection = new LiveConnection(world);
  connection.open();
  return { world, connection };
}

function beginLive() {
  const { world, connection } = begin();
  world.stream.send('snapshot', document(1000));
  world.stream.send('heartbeat', freshness(1000));
  return { world, connection };
}

describe('LiveConnection', () => {
  it('knows nothing at first, and says so', () => {
    const { connection } = begin();
    expect(connection.snapshot()).toMatchObject({ status: 'connecting', document: null, stale: false, asOf: null });
  });

  it('shows the snapshot, and what patches make of it', () => {
    const { world, connection } = beginLive();
    world.stream.send('patch', { as_of: 1002, agents: { '1001': { state: 'paused' } } });
    expect(connection.snapshot()).toMatchObject({ status: 'live', up: true, stale: false, asOf: 1002 });
    expect(connection.snapshot().document?.agents['1001'].state).toBe('paused');
  });

  it('tells its listeners of changes, and of nothing else', () => {
    const { world, connection } = beginLive();
    const seen = jest.fn();
    const unsubscribe = connection.subscribe(seen);
    world.stream.send('patch', { as_of: 1002 });
    expect(seen).toHaveBeenCalledTimes(1);
    world.stream.send('heartbeat', freshness(1001));
    expect(seen).toHaveBeenCalledTimes(1); // as of 1002 is newer
    unsubscribe();
    world.stream.send('patch', { as_of: 1003 });
    expect(seen).toHaveBeenCalledTimes(1);
  });

  it("goes by the switchboard's clock, not by ours", async () => {
    const { world, connection } = beginLive();
    await world.pass(2_500);
    expect(connection.now()).toBeCloseTo(1002.5, 3);
  });

  it('is reconnecting while the browser tries again, and live with the next snapshot', () => {
    const { world, connection } = beginLive();
    world.stream.breakOff();
    expect(connection.snapshot()).toMatchObject({ status: 'reconnecting', stale: false });
    expect(connection.snapshot().document).not.toBeNull();
    world.stream.send('snapshot', document(1004));
    expect(connection.snapshot()).toMatchObject({ status: 'live', asOf: 1004 });
  });

  it('goes stale when nothing is heard for too long, and is fresh again with the next news', async () => {
    const { world, connection } = beginLive();
    const seen = jest.fn();
    connection.subscribe(seen);
    world.stream.breakOff();
    await world.pass(STALE_AFTER_MS - 1);
    expect(connection.snapshot().stale).toBe(false);
    seen.mockClear();
    await world.pass(1);
    expect(connection.snapshot().stale).toBe(true);
    expect(seen).toHaveBeenCalled();
    world.polls[0].resolve({ state: document(1020), freshness: freshness(1020) });
    await settled();
    expect(connection.snapshot()).toMatchObject({ status: 'polling', stale: false, asOf: 1020 });
  });

  it('is stale at once when the server says so', () => {
    const { world, connection } = beginLive();
    world.stream.send('heartbeat', freshness(1005, { age_s: 2, stale: true }));
    expect(connection.snapshot()).toMatchObject({ status: 'live', stale: true, asOf: 1003 });
  });

  it('tells since when a switchboard that is down has told nothing', () => {
    const { world, connection } = beginLive();
    world.stream.send('patch', { up: false, as_of: 1001 });
    world.stream.send('heartbeat', freshness(1090, { up: false, as_of: 1001 }));
    expect(connection.snapshot()).toMatchObject({ up: false, asOf: 1001 });
  });

  it('asks for the state while the stream does not come through, and returns to the stream when it does', async () => {
    const { world, connection } = begin();
    await world.pass(SILENCE_MS); // a proxy holds everything back
    expect(world.polls).toHaveLength(1);
    world.polls[0].resolve({ state: document(1012), freshness: freshness(1012) });
    await world.pass(POLL_MS);
    expect(connection.snapshot()).toMatchObject({ status: 'polling', asOf: 1012 });
    expect(world.polls).toHaveLength(2);

    await world.pass(STREAM_AGAIN_MS[0]);
    expect(world.openStreams).toBe(1);
    world.stream.send('snapshot', document(1020));
    world.stream.send('heartbeat', freshness(1020));
    expect(connection.snapshot()).toMatchObject({ status: 'live', asOf: 1020 });
    world.polls[1].resolve({ state: document(1015, {}), freshness: freshness(1015) }); // late, and older
    await world.pass(POLL_MS);
    expect(connection.snapshot()).toMatchObject({ status: 'live', asOf: 1020 });
    expect(world.polls).toHaveLength(2);
  });

  it('tells why the stream is refused, keeps what it knew, and comes back', async () => {
    const { world, connection } = beginLive();
    world.stream.refuse();
    world.polls[0].reject(new ApiError('unreachable', 502));
    await settled();
    expect(connection.snapshot()).toMatchObject({ status: 'reconnecting', error: { id: 'unreachable' } });
    expect(connection.snapshot().document).not.toBeNull();
    await world.pass(STREAM_AGAIN_MS[0]);
    world.stream.send('snapshot', document(1030));
    expect(connection.snapshot()).toMatchObject({ status: 'live', error: null });
  });

  it('keeps nothing of what may not be seen any more', async () => {
    const { world, connection } = beginLive();
    world.stream.refuse();
    world.polls[0].reject(new ApiError('not_found', 404));
    await settled();
    expect(connection.snapshot()).toMatchObject({ document: null, asOf: null, error: { id: 'not_found' } });
    await world.pass(POLL_MS);
    world.polls[1].resolve({ state: document(1020), freshness: freshness(1020) });
    await settled();
    expect(connection.snapshot()).toMatchObject({ status: 'polling', asOf: 1020, error: null });
  });

  it('tries the stream less and less often, and one at a time', async () => {
    const { world } = begin();
    for (const wait of [...STREAM_AGAIN_MS, STREAM_AGAIN_MS[STREAM_AGAIN_MS.length - 1]]) {
      const before = world.streams.length;
      world.stream.refuse();
      await world.pass(wait - 1);
      expect(world.streams).toHaveLength(before);
      await world.pass(1);
      expect(world.streams).toHaveLength(before + 1);
      expect(world.openStreams).toBe(1);
    }
  });

  it('comes back at once when the server asks for it', async () => {
    const { world, connection } = beginLive();
    world.stream.send('end', { reason: 'reconnect' });
    expect(connection.snapshot().status).toBe('reconnecting');
    await world.pass(1_000);
    expect(world.streams).toHaveLength(2);
    expect(world.polls).toHaveLength(0);
  });

  it('does not come back when the right has ended, until somebody asks', async () => {
    const { world, connection } = beginLive();
    world.stream.send('end', { reason: 'right_ended' });
    await world.pass(600_000);
    expect(connection.snapshot().status).toBe('ended');
    expect(world.streams).toHaveLength(1);
    expect(world.polls).toHaveLength(0);
    connection.open();
    expect(connection.snapshot().status).toBe('connecting');
    expect(world.streams).toHaveLength(2);
  });

  it('keeps nothing of what may not be seen any more', () => {
    const { world, connection } = beginLive();
    world.stream.send('end', { reason: 'right_ended' });
    expect(connection.snapshot()).toEqual({
      status: 'ended',
      document: null,
      stale: false,
      up: false,
      asOf: null,
      error: null,
    });
  });

  it.each(['{"agents": {"10', '', 'null'])('asks for all anew after a patch that is none: %j', async (text) => {
    const { world, connection } = beginLive();
    world.stream.sendText('patch', text);
    expect(connection.snapshot().status).toBe('reconnecting');
    expect(world.openStreams).toBe(0);
    await world.pass(1_000);
    expect(world.openStreams).toBe(1);
    world.stream.send('snapshot', document(1002, { '1002': 'idle' }));
    expect(connection.snapshot()).toMatchObject({ status: 'live', asOf: 1002 });
    expect(Object.keys(connection.snapshot().document?.agents ?? {})).toEqual(['1002']);
  });

  it('asks again when an answer does not come, and does not take it when it does come later', async () => {
    const { world, connection } = begin();
    world.stream.refuse();
    await world.pass(POLL_LIMIT_MS - 1);
    expect(connection.snapshot().error).toBeNull();
    await world.pass(1);
    expect(connection.snapshot()).toMatchObject({ status: 'connecting', error: { id: 'unreachable' } });
    world.polls[0].resolve({ state: document(1001), freshness: freshness(1001) });
    await world.pass(POLL_MS);
    expect(connection.snapshot().document).toBeNull();
    expect(world.polls).toHaveLength(2);
    world.polls[1].resolve({ state: document(1013), freshness: freshness(1013) });
    await settled();
    expect(connection.snapshot()).toMatchObject({ status: 'polling', asOf: 1013, error: null });
  });

  it('is stale soon after the machine has slept, though no timer ran meanwhile', async () => {
    const { world, connection } = beginLive();
    await world.pass(100);
    world.sleep(3_600_000);
    await world.pass(1_000);
    expect(connection.snapshot().stale).toBe(true);
  });

  it('opened after a long time says that what it knew is old, before there is any answer', async () => {
    const { world, connection } = beginLive();
    connection.close();
    await world.pass(3_600_000);
    connection.open();
    expect(connection.snapshot()).toMatchObject({ status: 'reconnecting', stale: true, asOf: 1000 });
    world.stream.send('heartbeat', freshness(4600));
    world.stream.send('snapshot', document(4600));
    expect(connection.snapshot()).toMatchObject({ status: 'live', stale: false, asOf: 4600 });
  });

  it('opened at once goes stale when the answer stays away', async () => {
    const { world, connection } = beginLive();
    await world.pass(5_000);
    connection.open();
    expect(connection.snapshot().stale).toBe(false);
    await world.pass(STALE_AFTER_MS - 5_000);
    expect(connection.snapshot().stale).toBe(true);
  });

  it('asks for the state once at a time, and does not take an answer of an earlier turn for a new one', async () => {
    const { world, connection } = beginLive();
    world.stream.refuse();
    await world.pass(STREAM_AGAIN_MS[0]);
    world.stream.send('snapshot', document(1010));
    world.stream.refuse();
    expect(world.polls).toHaveLength(2);
    world.polls[0].resolve({ state: document(1001), freshness: freshness(1001) });
    await world.pass(POLL_MS);
    expect(connection.snapshot().document?.as_of).toBe(1010);
    expect(world.polls).toHaveLength(2);
  });

  it('does nothing any more after it was closed', async () => {
    const { world, connection } = begin();
    world.stream.refuse();
    connection.close();
    const before = connection.snapshot();
    world.polls[0].resolve({ state: document(1012), freshness: freshness(1012) });
    await world.pass(HEARTBEAT_MS * 100);
    expect(connection.snapshot()).toBe(before);
    expect(world.openStreams).toBe(0);
    expect(world.polls).toHaveLength(1);
  });
});
