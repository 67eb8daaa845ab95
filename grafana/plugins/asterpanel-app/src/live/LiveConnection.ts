import { ApiError, asApiError } from '../api/ApiError';
import type { Freshness, LiveState, State } from '../api/types';
import { applyMergePatch } from './mergePatch';

/**
 * How the live state arrives:
 * - `connecting`: for the first time, nothing is known yet;
 * - `live`: by the stream, as it changes;
 * - `polling`: asked for every few seconds, because the stream does not come through;
 * - `reconnecting`: it does not arrive at present;
 * - `ended`: the right to it has ended.
 */
export type LiveStatus = 'connecting' | 'live' | 'polling' | 'reconnecting' | 'ended';

/** What is known of one switchboard at one moment; never changed, but replaced. */
export interface LiveSnapshot {
  status: LiveStatus;
  /** As last told; parts that did not change are the same objects as before. */
  document: LiveState | null;
  /** Whether what is known is too old to rely on. */
  stale: boolean;
  /** Whether the exporter has the switchboard's state. */
  up: boolean;
  /** When what is known was so: Unix seconds, by the switchboard's clock. */
  asOf: number | null;
  /** Why it does not arrive. */
  error: ApiError | null;
}

/** The part of `EventSource` that is used. */
export interface EventStream {
  addEventListener(type: string, listener: (event: { data?: string }) => void): void;
  close(): void;
  readonly readyState: number;
}

/** The world outside, as the connection needs it. */
export interface Surroundings {
  openStream(): EventStream;
  fetchState(): Promise<State>;
  /** Milliseconds of a clock that is never set back, and goes on while the machine sleeps. */
  now(): number;
  /** Calls back once after so many milliseconds; the result cancels that. */
  after(ms: number, callback: () => void): () => void;
}

/** Without news for so long, what is known is stale: as the control API's STALE_AFTER_S. */
export const STALE_AFTER_MS = 15_000;

/** The stream has a heartbeat every five seconds: after two that did not come it is taken for dead. */
export const SILENCE_MS = 12_000;

export const POLL_MS = 3_000;

/** Without an answer for so long, the state is asked for anew. */
export const POLL_LIMIT_MS = 10_000;

/** How long to poll before the stream is tried again: longer each time that it fails. */
export const STREAM_AGAIN_MS = [5_000, 15_000, 60_000, 300_000] as const;

/** The end of what is fresh is looked for so often: a longer timer would stand still while the machine sleeps. */
const LOOK_MS = 1_000;

const REOPEN_MS = 1_000;

const CLOSED = 2; // EventSource.CLOSED: it does not come back by itself

const NOTHING: LiveSnapshot = {
  status: 'connecting',
  document: null,
  stale: false,
  up: false,
  asOf: null,
  error: null,
};

/**
 * Keeps the live state of one switchboard: a snapshot, then patches from the stream; where that does not come
 * through, the whole state every few seconds. Comes back by itself from everything but the end of the right.
 */
export class LiveConnection {
  private readonly listeners = new Set<() => void>();
  private current = NOTHING;
  private freshness: Freshness | null = null;
  /** When the freshness was told, by `Surroundings.now`. */
  private toldAt = 0;
  private stream: EventStream | null = null;
  private failures = 0;
  private polling = false;
  /** Grows with each end of polling, or of waiting: an answer to a request of before is not for now. */
  private era = 0;
  private cancelSilence = () => {};
  private cancelStale = () => {};
  private cancelPoll = () => {};
  private cancelPollLimit = () => {};
  private cancelAgain = () => {};

  constructor(private readonly world: Surroundings) {}

  /** What is known now; the same object until something changes. */
  readonly snapshot = (): LiveSnapshot => this.current;

  /** Calls back whenever the snapshot is another one; the result ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** What the switchboard's clock shows: Unix seconds. Ours, until it has been told. */
  readonly now = (): number =>
    this.freshness ? this.freshness.now + (this.world.now() - this.toldAt) / 1000 : Date.now() / 1000;

  /** Begin, or begin anew at once. What is known stays until there is news. */
  readonly open = (): void => {
    this.close();
    this.failures = 0;
    // It may have been closed for long: what is known from then is not live, and soon, or already, stale
    this.set({ status: this.away() });
    this.expectStale();
    this.openStream();
  };

  /** End, until the next `open`. */
  readonly close = (): void => {
    this.endStream();
    this.cancelStale();
    this.stopPolling();
  };

  // --- the stream ------------------------------------------------------------------------------------

  private openStream(): void {
    this.endStream();
    const stream = this.world.openStream();
    this.stream = stream;
    this.listen<LiveState>(stream, 'snapshot', (document) => this.takeDocument(document));
    this.listen<object>(stream, 'patch', (patch) => this.takePatch(patch));
    this.listen<Freshness>(stream, 'heartbeat', (freshness) => this.takeHeartbeat(freshness));
    this.listen<{ reason: string }>(stream, 'end', (end) => this.takeEnd(end));
    stream.addEventListener('error', () => {
      if (this.stream === stream) {
        this.takeError(stream.readyState === CLOSED);
      }
    });
    this.expectMore();
  }

  private listen<T extends object>(stream: EventStream, type: string, act: (data: T) => void): void {
    stream.addEventListener(type, (event) => {
      if (this.stream !== stream) {
        return;
      }
      this.expectMore();
      const data = parsedObject(event.data ?? '');
      if (data === null) {
        this.reopenSoon(); // what follows builds on what was lost
      } else {
        act(data as T);
      }
    });
  }

  private reopenSoon(): void {
    this.endStream();
    this.set({ status: this.away() });
    this.cancelAgain = this.world.after(REOPEN_MS, () => this.openStream());
  }

  private endStream(): void {
    this.cancelSilence();
    this.cancelAgain();
    this.stream?.close();
    this.stream = null;
  }

  private expectMore(): void {
    this.cancelSilence();
    this.cancelSilence = this.world.after(SILENCE_MS, () => this.pollInstead());
  }

  private takeDocument(document: LiveState): void {
    this.failures = 0;
    this.stopPolling();
    this.set({ status: 'live', document, up: document.up, error: null });
  }

  private takePatch(patch: object): void {
    if (this.current.document === null) {
      this.pollInstead(); // a patch of what we never had
      return;
    }
    this.takeDocument(applyMergePatch(this.current.document, patch));
  }

  private takeHeartbeat(freshness: Freshness): void {
    this.takeFreshness(freshness);
    if (this.current.document === null) {
      this.set({});
    } else if (!this.polling) {
      this.set({ status: 'live', error: null }); // else the poll tells, until the stream has a snapshot
    }
  }

  private takeEnd({ reason }: { reason: string }): void {
    if (reason === 'right_ended') {
      this.close();
      this.forget({ status: 'ended' });
    } else {
      this.reopenSoon();
    }
  }

  private takeError(isFinal: boolean): void {
    if (isFinal) {
      this.pollInstead(); // which also tells why
    } else if (!this.polling) {
      this.set({ status: this.away() });
    }
  }

  // --- polling ---------------------------------------------------------------------------------------

  /** The stream does not come through: ask, and try the stream again later. */
  private pollInstead(): void {
    this.endStream();
    const waits = STREAM_AGAIN_MS;
    const wait = waits[Math.min(this.failures, waits.length - 1)];
    this.failures++;
    this.cancelAgain = this.world.after(wait, () => this.openStream());
    if (!this.polling) {
      this.polling = true;
      this.poll();
    }
  }

  private poll(): void {
    const era = this.era;
    const ifCurrent = (act: () => void) => {
      if (this.polling && this.era === era) {
        this.cancelPollLimit();
        act();
      }
    };
    this.cancelPollLimit = this.world.after(POLL_LIMIT_MS, () => {
      this.era++; // the answer may still come
      this.takePollError(new ApiError('unreachable', 0));
    });
    this.world.fetchState().then(
      (state) => ifCurrent(() => this.takePolled(state)),
      (error: unknown) => ifCurrent(() => this.takePollError(error))
    );
  }

  private takePolled({ state, freshness }: State): void {
    this.takeFreshness(freshness);
    this.set({ status: 'polling', document: state, up: state.up, error: null });
    this.pollAgain();
  }

  private takePollError(error: unknown): void {
    const known = asApiError(error);
    if (known.id === 'not_found' || known.id === 'forbidden') {
      this.forget({ error: known });
    } else {
      this.set({ status: this.away(), error: known });
    }
    this.pollAgain();
  }

  private pollAgain(): void {
    this.cancelPoll = this.world.after(POLL_MS, () => this.poll());
  }

  private stopPolling(): void {
    this.era++;
    this.polling = false;
    this.cancelPoll();
    this.cancelPollLimit();
  }

  // --- what is known ---------------------------------------------------------------------------------

  private takeFreshness(freshness: Freshness): void {
    this.freshness = freshness;
    this.toldAt = this.world.now();
    this.expectStale();
  }

  private expectStale(): void {
    this.cancelStale();
    if (!this.freshness) {
      return;
    }
    const left = STALE_AFTER_MS - this.ageMs(this.freshness);
    if (left <= 0) {
      this.set({});
    } else {
      this.cancelStale = this.world.after(Math.min(left, LOOK_MS), () => this.expectStale());
    }
  }

  private ageMs(freshness: Freshness): number {
    return freshness.age_s * 1000 + (this.world.now() - this.toldAt);
  }

  /** How it is while nothing arrives. */
  private away(): LiveStatus {
    return this.current.document ? 'reconnecting' : 'connecting';
  }

  /** What one may not see any more does not stay on the screen. */
  private forget(change: Partial<LiveSnapshot>): void {
    this.freshness = null;
    this.set({ ...NOTHING, ...change });
  }

  private set(change: Partial<LiveSnapshot>): void {
    const changed = { ...this.current, ...change };
    const next = { ...changed, ...this.age(changed.document) };
    if ((Object.keys(next) as Array<keyof LiveSnapshot>).every((key) => next[key] === this.current[key])) {
      return;
    }
    this.current = next;
    this.listeners.forEach((listener) => listener());
  }

  private age(document: LiveState | null): Pick<LiveSnapshot, 'stale' | 'asOf'> {
    const freshness = this.freshness;
    if (freshness === null) {
      return { stale: false, asOf: null };
    }
    return {
      stale: freshness.stale || this.ageMs(freshness) >= STALE_AFTER_MS,
      asOf: freshness.up ? Math.max(freshness.now - freshness.age_s, document?.as_of ?? 0) : freshness.as_of,
    };
  }
}

/** What a JSON text of an object tells; null: it is none. */
function parsedObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
