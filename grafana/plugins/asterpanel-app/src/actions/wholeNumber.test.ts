import openapi from '../../contract/openapi.json';
import { MAX_NUMBER, wholeNumber } from './wholeNumber';

it.each([
  ['0', 0],
  [' 7 ', 7],
  ['+3', 3],
  ['-2', -2],
  ['2147483647', 2147483647],
  ['2147483648', null],
  ['', null],
  ['-', null],
  ['1.5', null],
  ['1e3', null],
  ['0x10', null],
  ['tre', null],
])('%j is %j', (text, value) => {
  expect(wholeNumber(text, -MAX_NUMBER)).toBe(value);
});

it('is within its bounds', () => {
  expect(wholeNumber('-1', 0)).toBeNull();
  expect(wholeNumber('5', 0, 4)).toBeNull();
});

it('goes as far as the control API', () => {
  const { penalty } = openapi.components.schemas.QueueOfAgent.properties;
  const { priority } = openapi.components.schemas.PriorityBody.properties;
  expect([MAX_NUMBER, MAX_NUMBER, -MAX_NUMBER]).toEqual([penalty.maximum, priority.maximum, priority.minimum]);
});
