import type { ApiError } from '../api/ApiError';
import type { ControlApi } from '../api/ControlApi';
import type { Findings, Probe } from './diagnosis';

/** Asks the control API, by way of Grafana, whatever tells what works and what does not. */
export async function testConnection(api: ControlApi): Promise<Pick<Findings, 'connection' | 'browserTime' | 'me'>> {
  const sent = Date.now();
  const connection = await probe(api.connection());
  const browserTime = (sent + Date.now()) / 2 / 1000;
  return { connection, browserTime, me: await probe(api.me()) };
}

async function probe<T>(asked: Promise<T>): Promise<Probe<T>> {
  try {
    return { answer: await asked };
  } catch (error) {
    return { error: error as ApiError };
  }
}
