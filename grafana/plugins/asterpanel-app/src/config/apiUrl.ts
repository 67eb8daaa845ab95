/** Why a text is no address of a control API. */
export type UrlProblem = 'empty' | 'not_a_url' | 'not_http' | 'credentials' | 'query' | 'with_v1';

/** What is wrong with the control API's root URL; null: nothing. Blanks around it do not count. */
export function problemOfUrl(text: string): UrlProblem | null {
  const trimmed = text.trim();
  if (trimmed === '') {
    return 'empty';
  }
  const url = parsed(trimmed);
  if (!url || /\s/.test(trimmed)) {
    return 'not_a_url';
  }
  if (!/^https?:\/\//i.test(trimmed)) {
    return 'not_http';
  }
  if (url.username || url.password) {
    return 'credentials';
  }
  if (/[?#]/.test(trimmed)) {
    return 'query';
  }
  return /\/v1\/?$/.test(url.pathname) ? 'with_v1' : null;
}

/** As it is saved: without blanks around it and slashes at its end. */
export function savedUrl(text: string): string {
  return text.trim().replace(/\/+$/, '');
}

function parsed(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
