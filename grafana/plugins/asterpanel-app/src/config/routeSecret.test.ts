import { problemOfSecret } from './routeSecret';

it.each([
  ['x'.repeat(16), null],
  ['x'.repeat(15), 'too_short'],
  [` ${'x'.repeat(16)}\n`, null],
  [`${'x'.repeat(8)} ${'x'.repeat(8)}`, 'characters'],
  ['sécret-sécret-sécret', 'characters'],
  ['', 'too_short'],
])('%j: %j', (secret, problem) => {
  expect(problemOfSecret(secret)).toBe(problem);
});
