import { problemOfUrl, savedUrl } from './apiUrl';

describe('problemOfUrl', () => {
  it.each([
    'http://127.0.0.1:9978',
    'https://control.example',
    'HTTPS://control.example/',
    'http://[::1]:9978',
    'http://control_api:9978',
    '  http://control-api:9978/asterpanel  ',
  ])('takes %s', (url) => {
    expect(problemOfUrl(url)).toBeNull();
  });

  it.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['control-api', 'not_a_url'],
    ['http://', 'not_a_url'],
    ['http://control api', 'not_a_url'],
    ['http://host:99999', 'not_a_url'],
    ['control-api:9978', 'not_http'],
    ['ftp://control', 'not_http'],
    ['http:control', 'not_http'],
    ['http://user:word@control', 'credentials'],
    ['http://control?tenant=a', 'query'],
    ['http://control/#v1', 'query'],
    ['http://control:9978/v1', 'with_v1'],
    ['http://control:9978/v1/', 'with_v1'],
  ])('does not take %j: %s', (url, problem) => {
    expect(problemOfUrl(url)).toBe(problem);
  });
});

it('is saved without what does not belong to it', () => {
  expect(savedUrl(' http://control:9978// ')).toBe('http://control:9978');
});
