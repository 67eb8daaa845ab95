import { useCallback, useMemo, useSyncExternalStore } from 'react';

import { follow, liveConnection } from './connections';
import type { LiveConnection, LiveSnapshot } from './LiveConnection';

/** The live state of a switchboard, as I may see it, and how it arrives. */
export interface Live extends LiveSnapshot {
  switchboard: string;
  /** Try again at once. */
  retry(): void;
  /** What the switchboard's clock shows: Unix seconds. */
  now(): number;
}

/**
 * The live state of a switchboard, for as long as the component is there.
 *
 * Renders again at most once a frame, however many changes there are. Parts of the document that did not change
 * are the same objects as before.
 *
 * @param switchboard - its name; null: none
 * @param onRetry - called when somebody tries again; the same function until it does something else
 */
export function useLive(switchboard: string | null, onRetry?: () => void): Live | null {
  const connection = useMemo(() => (switchboard === null ? null : liveConnection(switchboard)), [switchboard]);
  const subscribe = useCallback(
    (listener: () => void) => (connection ? followByFrame(connection, listener) : () => {}),
    [connection]
  );
  const snapshot = useSyncExternalStore(subscribe, () => connection?.snapshot() ?? null);
  return useMemo(
    () =>
      switchboard !== null && connection && snapshot
        ? { ...snapshot, switchboard, retry: both(onRetry, connection.open), now: connection.now }
        : null,
    [switchboard, connection, snapshot, onRetry]
  );
}

function both(first: (() => void) | undefined, second: () => void): () => void {
  return () => {
    first?.();
    second();
  };
}

function followByFrame(connection: LiveConnection, listener: () => void): () => void {
  let frame = 0;
  const end = follow(connection, () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      listener();
    });
  });
  return () => {
    cancelAnimationFrame(frame);
    end();
  };
}
