import type { components } from './schema';

type ApiErrorBody = components['schemas']['ErrorBody'];

/** The control API's stable ids. */
export type ApiErrorId = ApiErrorBody['id'];

/**
 * Why there was no answer of the control API itself:
 * - `unreachable`: Grafana did not reach it, or the browser did not reach Grafana;
 * - `not_configured`: Grafana has no address for it, or the app is disabled;
 * - `signed_out`: Grafana does not know who asks any more.
 */
export type ProxyErrorId = 'unreachable' | 'not_configured' | 'signed_out';

/** A request that came to nothing: by which id, and what the control API said of it, in English. */
export class ApiError extends Error {
  /**
   * @param id - the control API's, or one of those before it
   * @param status - of HTTP; 0 if there was no answer at all
   * @param message - for people; the control API's own text where there is one, else empty
   * @param detail - what it names, for programs
   */
  constructor(
    readonly id: ApiErrorId | ProxyErrorId,
    readonly status: number,
    message = '',
    readonly detail: ApiErrorBody['detail'] = {}
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** Whatever was thrown, as an error that has an id: what is no answer at all is `unreachable`. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) {
    return error;
  }
  return new ApiError('unreachable', 0, error instanceof Error ? error.message : String(error));
}

/** The answer that a failed request through Grafana's proxy got, as an error that names what is wrong. */
export function errorOfAnswer(status: number, body: unknown): ApiError {
  const error = errorBody(body);
  if (error) {
    return new ApiError(error.id, status, error.message, error.detail);
  }
  if (status === 401) {
    return new ApiError('signed_out', status);
  }
  // Without a control API's body it is Grafana that says no: it knows no such app, or no such route
  return new ApiError(status === 403 || status === 404 ? 'not_configured' : 'unreachable', status);
}

function errorBody(body: unknown): ApiErrorBody | null {
  const error = isRecord(body) ? body.error : null;
  return isRecord(error) && typeof error.id === 'string' && typeof error.message === 'string'
    ? ({ ...error, detail: isRecord(error.detail) ? error.detail : {} } as ApiErrorBody)
    : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
