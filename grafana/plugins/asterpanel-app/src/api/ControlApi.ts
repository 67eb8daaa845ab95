import { config, getBackendSrv, isFetchError } from '@grafana/runtime';
import { lastValueFrom } from 'rxjs';

import { PROXY_PATH } from '../constants';
import { asApiError, errorOfAnswer } from './ApiError';
import type { ActionResult, Connection, Me, QueuesOfAgent, QueuesResult, State, Switchboards } from './types';

type Method = 'GET' | 'POST' | 'PUT';

/**
 * The control API, through Grafana's app proxy, which adds who asks and the route's secret.
 *
 * Every method rejects with an `ApiError` if it came to nothing. No request is ever repeated: what is unanswered
 * may have been done.
 */
export interface ControlApi {
  /** Who I am, what I may do, which switchboards I may see. */
  me(): Promise<Me>;
  /** Those switchboards, and how each of them is. */
  switchboards(): Promise<Switchboards>;
  /** The live state of one of them, as I may see it. */
  state(switchboard: string): Promise<State>;
  /** What of the way from here to the switchboards works. */
  connection(): Promise<Connection>;
  pause(switchboard: string, agent: string, how: { reason: string; queues?: string[] }): Promise<ActionResult>;
  unpause(switchboard: string, agent: string, how: { queues?: string[] }): Promise<ActionResult>;
  /** Makes him a member of exactly these queues, of those that were seen and where the right holds. */
  setQueues(switchboard: string, agent: string, queues: QueuesOfAgent): Promise<QueuesResult>;
  changePriority(
    switchboard: string,
    queue: string,
    caller: string,
    how: { priority: number; immediate: boolean }
  ): Promise<ActionResult>;
  withdraw(switchboard: string, queue: string, caller: string, how: { info: string }): Promise<ActionResult>;
  /** Where the live state's server-sent events come from. */
  streamUrl(switchboard: string): string;
}

/** The control API of the Grafana that this runs in. */
export function controlApi(): ControlApi {
  return API;
}

const API: ControlApi = {
  me: () => ask('GET', '/v1/me'),
  switchboards: () => ask('GET', '/v1/switchboards'),
  state: (switchboard) => ask('GET', `${board(switchboard)}/state`),
  connection: () => ask('GET', '/v1/connection'),
  pause: (switchboard, agent, how) => ask('POST', `${board(switchboard)}/agents/${segment(agent)}/pause`, how),
  unpause: (switchboard, agent, how) => ask('POST', `${board(switchboard)}/agents/${segment(agent)}/unpause`, how),
  setQueues: (switchboard, agent, queues) =>
    ask('PUT', `${board(switchboard)}/agents/${segment(agent)}/queues`, queues),
  changePriority: (switchboard, queue, caller, how) =>
    ask('POST', `${callerOf(switchboard, queue, caller)}/priority`, how),
  withdraw: (switchboard, queue, caller, how) => ask('POST', `${callerOf(switchboard, queue, caller)}/withdraw`, how),
  // The browser itself opens this one, and does not know of a Grafana under a path
  streamUrl: (switchboard) => `${config.appSubUrl ?? ''}${PROXY_PATH}${board(switchboard)}/stream`,
};

function board(switchboard: string): string {
  return `/v1/switchboards/${segment(switchboard)}`;
}

function callerOf(switchboard: string, queue: string, caller: string): string {
  return `${board(switchboard)}/queues/${segment(queue)}/callers/${segment(caller)}`;
}

function segment(name: string): string {
  return encodeURIComponent(name);
}

async function ask<T>(method: Method, path: string, data?: object): Promise<T> {
  try {
    const answer = await lastValueFrom(
      getBackendSrv().fetch<T>({
        method,
        url: PROXY_PATH + path,
        data,
        showErrorAlert: false,
        showSuccessAlert: false,
        // Grafana's client asks again after a 401, unless it is told that this is not the first time
        retry: 1,
      })
    );
    return answer.data;
  } catch (error) {
    throw isFetchError(error) ? errorOfAnswer(error.status, error.data) : asApiError(error);
  }
}
