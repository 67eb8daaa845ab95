/** The control API takes no shorter one. */
export const MIN_SECRET_CHARS = 16;

/** Why a text cannot be the route's secret: Grafana sends it in a header. */
export type SecretProblem = 'too_short' | 'characters';

/** What is wrong with a secret that was typed; null: nothing. Blanks around it do not count. */
export function problemOfSecret(text: string): SecretProblem | null {
  const secret = text.trim();
  if (!/^[\x21-\x7e]*$/.test(secret)) {
    return 'characters';
  }
  return secret.length < MIN_SECRET_CHARS ? 'too_short' : null;
}
