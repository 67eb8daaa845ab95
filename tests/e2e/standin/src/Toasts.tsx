import { AppEvents } from '@grafana/data';
import { getAppEvents } from '@grafana/runtime';
import { Alert } from '@grafana/ui';
import { useEffect, useState } from 'react';

type Severity = 'success' | 'warning' | 'error' | 'info';

interface Toast {
  id: number;
  severity: Severity;
  title: string;
  text: string;
}

const EVENTS: Array<[{ name: string }, Severity]> = [
  [AppEvents.alertSuccess, 'success'],
  [AppEvents.alertWarning, 'warning'],
  [AppEvents.alertError, 'error'],
  [AppEvents.alertInfo, 'info'],
];

const SHOWN_MS = 5_000;

/** What plugins publish as alerts, in the corner where Grafana shows them. */
export function Toasts() {
  const [toasts, setToasts] = useState<Toast[]>([]);
  useEffect(() => {
    let next = 0;
    const show = (severity: Severity, [title, text = '']: string[]) => {
      const id = next++;
      setToasts((before) => [...before, { id, severity, title, text }]);
      setTimeout(() => setToasts((before) => before.filter((toast) => toast.id !== id)), SHOWN_MS);
    };
    const subscriptions = EVENTS.map(([event, severity]) =>
      getAppEvents()
        .getStream({ type: event.name } as never)
        .subscribe((published) => show(severity, (published as { payload: string[] }).payload))
    );
    return () => subscriptions.forEach((subscription) => subscription.unsubscribe());
  }, []);
  return (
    <div style={{ position: 'fixed', top: 8, right: 8, maxWidth: '100vw', zIndex: 2000 }}>
      {toasts.map(({ id, severity, title, text }) => (
        <Alert key={id} severity={severity} title={title} elevated>
          {text}
        </Alert>
      ))}
    </div>
  );
}
