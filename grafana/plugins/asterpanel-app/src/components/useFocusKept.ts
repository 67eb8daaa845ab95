import { FocusEvent, RefObject, useEffect, useMemo, useRef, useState } from 'react';

interface FocusEvents {
  onFocus(event: FocusEvent): void;
  onBlur(event: FocusEvent): void;
}

/**
 * Which row has, or last had, the focus: it must stay in the page, as it may be given back to it after a dialog.
 * If that row vanishes with the focus in it, the list gets the focus, instead of nothing.
 *
 * @param rows - elements of rows have their key as `data-key`
 * @param list - what holds them
 * @returns the row's index, -1 if there is none; and what to listen for on the list
 */
export function useFocusKept(
  rows: ReadonlyArray<{ key: string }>,
  list: RefObject<HTMLElement>
): [index: number, events: FocusEvents] {
  const [key, setKey] = useState<string | null>(null);
  const isInside = useRef(false);
  const index = useMemo(() => (key === null ? -1 : rows.findIndex((row) => row.key === key)), [rows, key]);
  const events = useMemo<FocusEvents>(
    () => ({
      onFocus: ({ target }) => {
        const row = target.closest('[data-key]');
        isInside.current = row !== null;
        if (row instanceof HTMLElement) {
          setKey(row.dataset.key ?? null);
        }
      },
      onBlur: () => {
        isInside.current = false;
      },
    }),
    []
  );
  useEffect(() => {
    if (key !== null && index < 0 && isInside.current && document.activeElement === document.body) {
      isInside.current = false;
      list.current?.focus({ preventScroll: true });
    }
  }, [key, index, list]);
  return [index, events];
}
