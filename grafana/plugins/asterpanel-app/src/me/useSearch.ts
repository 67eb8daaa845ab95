import { locationService } from '@grafana/runtime';
import { useSyncExternalStore } from 'react';

/** The query of the page's address, as it is now. */
export function useSearch(): string {
  return useSyncExternalStore(subscribe, read);
}

function subscribe(listener: () => void): () => void {
  return locationService.getHistory().listen(listener);
}

function read(): string {
  return locationService.getLocation().search;
}
