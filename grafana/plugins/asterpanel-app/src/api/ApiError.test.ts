import { errorOfAnswer } from './ApiError';

describe('errorOfAnswer', () => {
  it('is what the control API said', () => {
    const body = { error: { id: 'already_so', message: 'Anna is paused already', detail: { agent: '1001' } } };
    expect(errorOfAnswer(409, body)).toMatchObject({
      id: 'already_so',
      status: 409,
      message: 'Anna is paused already',
      detail: { agent: '1001' },
    });
  });

  it.each([
    [502, '', 'unreachable'], // Grafana 10.1's proxy with the control API down
    [504, null, 'unreachable'],
    [0, undefined, 'unreachable'],
    [500, '<html>', 'unreachable'],
    [401, { message: 'Unauthorized' }, 'signed_out'],
    [404, { message: 'plugin route match not found' }, 'not_configured'],
    [403, { message: 'Access denied' }, 'not_configured'],
  ])('%d with %j, which is not of the control API, is %s', (status, body, id) => {
    expect(errorOfAnswer(status, body).id).toBe(id);
  });

  it('needs no detail', () => {
    expect(errorOfAnswer(500, { error: { id: 'internal', message: 'a mistake' } }).detail).toEqual({});
  });
});
