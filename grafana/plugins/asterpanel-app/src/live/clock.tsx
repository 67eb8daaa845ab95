import React, { createContext, PropsWithChildren, useContext, useMemo, useSyncExternalStore } from 'react';

/** A clock that ticks once a second, for all who look at it in the same moment. */
class Clock {
  private readonly listeners = new Set<() => void>();
  private timer = 0;
  private shown: number;

  /** @param time - what it goes by: Unix seconds */
  constructor(private readonly time: () => number) {
    this.shown = time();
  }

  /** What it shows: Unix seconds, as of the last tick. */
  readonly read = (): number => this.shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.listeners.size === 0) {
      this.shown = this.time();
      this.timer = window.setTimeout(this.tick, this.untilNextSecond());
    }
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        window.clearTimeout(this.timer);
      }
    };
  };

  private readonly tick = (): void => {
    this.shown = this.time();
    this.timer = window.setTimeout(this.tick, this.untilNextSecond());
    this.listeners.forEach((listener) => listener());
  };

  private untilNextSecond(): number {
    return 1000 - ((this.time() * 1000) % 1000);
  }
}

const ClockContext = createContext<Clock>(new Clock(() => Date.now() / 1000));

/** Everything inside goes by this time: `now` tells Unix seconds, such as those of a switchboard's clock. */
export function ClockProvider({ now, children }: PropsWithChildren<{ now: () => number }>) {
  const clock = useMemo(() => new Clock(now), [now]);
  return <ClockContext.Provider value={clock}>{children}</ClockContext.Provider>;
}

/** What the clock shows, in Unix seconds; renders again with each of its ticks. */
export function useNow(): number {
  const clock = useContext(ClockContext);
  return useSyncExternalStore(clock.subscribe, clock.read);
}
