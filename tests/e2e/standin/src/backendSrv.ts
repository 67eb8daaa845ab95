/** Grafana's HTTP client, as far as plugins notice: what it answers with, and how its errors look. */
import type { BackendSrv, BackendSrvRequest, FetchResponse } from '@grafana/runtime';
import { defer, lastValueFrom, type Observable } from 'rxjs';

type WithError = { data?: unknown };

export const backendSrv = {
  fetch: <T>(request: BackendSrvRequest): Observable<FetchResponse<T>> => defer(() => send<T>(request)),
  get: (url: string, params?: Record<string, unknown>) => dataOf({ method: 'GET', url, params }),
  post: (url: string, data?: unknown) => dataOf({ method: 'POST', url, data }),
  put: (url: string, data?: unknown) => dataOf({ method: 'PUT', url, data }),
  patch: (url: string, data?: unknown) => dataOf({ method: 'PATCH', url, data }),
  delete: (url: string) => dataOf({ method: 'DELETE', url }),
  request: (request: BackendSrvRequest) => dataOf(request),
  datasourceRequest: (request: BackendSrvRequest) => lastValueFrom(backendSrv.fetch(request)),
} as unknown as BackendSrv;

async function dataOf(request: BackendSrvRequest): Promise<unknown> {
  return (await lastValueFrom(backendSrv.fetch(request))).data;
}

async function send<T>(request: BackendSrvRequest): Promise<FetchResponse<T>> {
  let response: Response;
  try {
    response = await fetch(address(request), init(request));
  } catch (error) {
    // no answer at all: the browser's own error, with what Grafana adds to every one
    (error as WithError).data = { message: 'Unexpected error' };
    throw error;
  }
  const { ok, status, statusText, headers, redirected, type, url } = response;
  const data = parsed(await response.text());
  if (!ok) {
    throw { status, statusText, data: errorData(data, statusText), config: request };
  }
  return { data: data as T, ok, status, statusText, headers, redirected, type, url, config: request };
}

function address({ url, params }: BackendSrvRequest): string {
  const query = new URLSearchParams(params).toString();
  const path = url.startsWith('/') ? url : `/${url}`;
  return query ? `${path}?${query}` : path;
}

function init({ method = 'GET', data, headers, abortSignal }: BackendSrvRequest): RequestInit {
  const sent = { Accept: 'application/json, text/plain, */*', ...headers };
  return data === undefined
    ? { method, headers: sent, signal: abortSignal }
    : {
        method,
        headers: { 'Content-Type': 'application/json', ...sent },
        body: JSON.stringify(data),
        signal: abortSignal,
      };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // as Grafana does: whatever is no JSON is a text
  }
}

function errorData(data: unknown, statusText: string): unknown {
  return typeof data === 'string' ? { message: data, error: statusText, response: data } : data;
}
