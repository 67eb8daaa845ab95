/** The places where Grafana shows a plugin: a dashboard, the app's own pages, the page of its settings. */
import {
  type AppPlugin,
  dateTime,
  EventBusSrv,
  type FieldConfigSource,
  getPanelOptionsWithDefaults,
  LoadingState,
  type PanelPlugin,
  type PluginMeta,
  type TimeRange,
} from '@grafana/data';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { locationSearchToObject, locationService, type PluginPageProps } from '@grafana/runtime';
import { type ComponentType, type RefObject, useEffect, useMemo, useRef, useState } from 'react';

import { APP, type Dashboard } from './boot';
import { replaceVariables } from './variables';

const NO_FIELD_CONFIG: FieldConfigSource = { defaults: {}, overrides: [] };

/** The path and the query of the page, anew whenever they change. */
export function useLocation() {
  const [location, setLocation] = useState(() => locationService.getLocation());
  useEffect(() => locationService.getHistory().listen((changed: object) => setLocation({ ...changed })), []);
  return location;
}

/** A dashboard with one panel, as wide as the window. */
export function DashboardPage({ plugin, dashboard }: { plugin: PanelPlugin; dashboard: Dashboard }) {
  useLocation(); // a variable may have another value
  const theme = useTheme2();
  const given = useMemo(
    () =>
      getPanelOptionsWithDefaults({
        plugin,
        currentOptions: dashboard.options,
        currentFieldConfig: NO_FIELD_CONFIG,
        isAfterPluginChange: false,
      }),
    [plugin, dashboard]
  );
  const [options, setOptions] = useState<unknown>(given.options);
  const [eventBus] = useState(() => new EventBusSrv());
  const [timeRange] = useState(lastHour);
  const frame = useRef<HTMLElement>(null);
  const { width, height } = useSize(frame);
  const Panel = plugin.panel;
  return (
    <main ref={frame} style={{ margin: theme.spacing(1), height: dashboard.height, resize: 'both', overflow: 'hidden' }}>
      <PanelChrome title={dashboard.title} width={width} height={height}>
        {(width, height) =>
          Panel &&
          width > 0 && (
            <Panel
              id={1}
              title={dashboard.title}
              data={{ state: LoadingState.Done, series: [], timeRange }}
              timeRange={timeRange}
              timeZone="browser"
              options={options}
              onOptionsChange={setOptions}
              fieldConfig={given.fieldConfig}
              onFieldConfigChange={() => undefined}
              transparent={false}
              width={width}
              height={height}
              renderCounter={0}
              eventBus={eventBus}
              replaceVariables={replaceVariables}
              onChangeTimeRange={() => undefined}
            />
          )
        }
      </PanelChrome>
    </main>
  );
}

/** The frame that the app's own pages ask for: a title, and what they show. */
export const PluginFrame: ComponentType<PluginPageProps> = ({ renderTitle, children }) => (
  <>
    {renderTitle?.('')}
    {children}
  </>
);

/** A page of the app itself, under /a/. */
export function AppPage({ plugin, meta }: { plugin: AppPlugin; meta: PluginMeta }) {
  const { pathname, search } = useLocation();
  const Root = plugin.root;
  return (
    <main style={{ padding: 16 }}>
      {Root && (
        <Root
          meta={meta as never}
          basename={`/a/${APP}`}
          path={pathname}
          query={locationSearchToObject(search)}
          onNavChanged={() => undefined}
        />
      )}
    </main>
  );
}

/** The first of the app's configuration pages. */
export function ConfigPage({ plugin, meta }: { plugin: AppPlugin; meta: PluginMeta }) {
  const { search } = useLocation();
  plugin.meta = meta as never;
  const Body = plugin.configPages?.[0]?.body as ComponentType<{ plugin: AppPlugin; query: object }> | undefined;
  return <main style={{ padding: 16 }}>{Body && <Body plugin={plugin} query={locationSearchToObject(search)} />}</main>;
}

function useSize(element: RefObject<HTMLElement | null>) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setSize(entry.contentRect));
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

function lastHour(): TimeRange {
  const [from, to] = [dateTime().subtract(1, 'hour'), dateTime()];
  return { from, to, raw: { from: 'now-1h', to: 'now' } };
}
