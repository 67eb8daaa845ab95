import { layoutOf, Section } from './layout';

const ALL: Section[] = ['queues', 'agents', 'calls'];

describe('layoutOf', () => {
  it.each([
    [1900, 800, ALL, [['queues'], ['agents'], ['calls']]],
    [1300, 700, ALL, [['queues', 'calls'], ['agents']]],
    [1300, 300, ALL, [['queues'], ['agents'], ['calls']]],
    [1000, 700, ['queues', 'agents'], [['queues'], ['agents']]],
    [800, 900, ALL, [['queues', 'agents', 'calls']]],
    [300, 500, ['agents'], [['agents']]],
  ])('%d × %d with %p: columns %p', (width, height, sections, columns) => {
    expect(layoutOf(width, height, sections as Section[])).toEqual({ is: 'columns', columns });
  });

  it.each([
    [320, 600],
    [599, 2000],
    [800, 500],
  ])('%d × %d: tabs', (width, height) => {
    expect(layoutOf(width, height, ALL)).toEqual({ is: 'tabs' });
  });
});
