import { controlApi } from '../api/ControlApi';
import { LiveConnection } from './LiveConnection';
import { steadyClock } from './steadyClock';

/** How long a page may be out of sight before its streams are given up: a browser has six connections to a host. */
const HIDDEN_MS = 60_000;

const now = steadyClock();
const connections = new Map<string, LiveConnection>();
const followers = new Map<LiveConnection, number>();
let cancelHidden = () => {};
let areClosed = false;

/** The connection to a switchboard that all on this page share. */
export function liveConnection(switchboard: string): LiveConnection {
  let connection = connections.get(switchboard);
  if (!connection) {
    connection = newConnection(switchboard);
    connections.set(switchboard, connection);
  }
  return connection;
}

/** Calls back at every change; the connection is open for as long as anybody follows it. The result ends it. */
export function follow(connection: LiveConnection, listener: () => void): () => void {
  const others = followers.get(connection) ?? 0;
  if (followers.size === 0) {
    document.addEventListener('visibilitychange', followVisibility);
  }
  followers.set(connection, others + 1);
  if (others === 0) {
    connection.open();
  }
  const unsubscribe = connection.subscribe(listener);
  return () => {
    unsubscribe();
    leave(connection);
  };
}

function leave(connection: LiveConnection): void {
  const others = (followers.get(connection) ?? 0) - 1;
  if (others > 0) {
    followers.set(connection, others);
    return;
  }
  connection.close();
  followers.delete(connection);
  if (followers.size === 0) {
    cancelHidden();
    areClosed = false;
    document.removeEventListener('visibilitychange', followVisibility);
  }
}

function followVisibility(): void {
  cancelHidden();
  if (document.visibilityState === 'hidden') {
    cancelHidden = after(HIDDEN_MS, () => {
      areClosed = true;
      followers.forEach((_, connection) => connection.close());
    });
  } else if (areClosed) {
    areClosed = false;
    followers.forEach((_, connection) => connection.open());
  }
}

function newConnection(switchboard: string): LiveConnection {
  const api = controlApi();
  return new LiveConnection({
    openStream: () => new EventSource(api.streamUrl(switchboard)),
    fetchState: () => api.state(switchboard),
    now,
    after,
  });
}

function after(ms: number, callback: () => void): () => void {
  const timer = window.setTimeout(callback, ms);
  return () => window.clearTimeout(timer);
}
