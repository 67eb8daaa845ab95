/** What the tests of the panel share: a panel on a page, and the stream that tells it. */
import type { PanelProps } from '@grafana/data';
import { act, render, waitFor } from '@testing-library/react';
import React from 'react';

import type { LiveState } from '../api/types';
import { FakeEventSource } from '../live/testing';
import { LivePanel } from './LivePanel';
import { DEFAULTS, Options } from './options';

/** Gives jsdom what it has not: streams, and elements with a size (700 pixels high, as wide as the panel). */
export function givenBrowser(): void {
  FakeEventSource.install();
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { value: 700, configurable: true });
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { value: 1400, configurable: true });
}

/** Tells the panel something by its stream, and waits for the next frame, in which it draws that. */
export async function tell(type: string, data: unknown): Promise<void> {
  await act(async () => {
    FakeEventSource.open.forEach((stream) => stream.send(type, data));
    await new Promise((resolve) => requestAnimationFrame(resolve));
  });
}

/** How fresh the live state is. */
export function freshnessOf(change: object = {}): object {
  return { up: true, as_of: 1100, now: 1101, age_s: 1, stale: false, ...change };
}

/** A live panel of this size. */
export function panelElement(
  options: Partial<Options> = {},
  size: { width?: number; height?: number } = {},
  more = {}
) {
  const props = {
    width: 1400,
    height: 800,
    timeZone: 'utc',
    replaceVariables: (text: string) => text,
    ...size,
    ...more,
    options: { ...DEFAULTS, ...options },
  } as unknown as PanelProps<Options>;
  return <LivePanel {...props} />;
}

/** A live panel that has been told a live state. */
export async function showPanel(document: LiveState, ...args: Parameters<typeof panelElement>) {
  const view = render(panelElement(...args));
  await waitFor(() => expect(FakeEventSource.open).not.toHaveLength(0));
  await tell('heartbeat', freshnessOf());
  await tell('snapshot', document);
  return { ...view, show: (...next: typeof args) => view.rerender(panelElement(...next)) };
}
