import { act, render, screen } from '@testing-library/react';
import React from 'react';

import { ClockProvider, useNow } from './clock';

function Show({ label }: { label: string }) {
  return <p>{`${label} ${useNow()}`}</p>;
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('useNow', () => {
  it('ticks when a second of the given clock begins, for all at once', () => {
    const start = Date.now();
    const now = () => 1000.25 + (Date.now() - start) / 1000;
    render(
      <ClockProvider now={now}>
        <Show label="a" />
        <Show label="b" />
      </ClockProvider>
    );
    screen.getByText('a 1000.25');
    act(() => jest.advanceTimersByTime(750));
    screen.getByText('a 1001');
    screen.getByText('b 1001');
    act(() => jest.advanceTimersByTime(3000));
    screen.getByText('a 1004');
  });

  it('stops when nobody looks', () => {
    const { unmount } = render(
      <ClockProvider now={() => Date.now() / 1000}>
        <Show label="a" />
      </ClockProvider>
    );
    expect(jest.getTimerCount()).toBe(1);
    unmount();
    expect(jest.getTimerCount()).toBe(0);
  });
});
