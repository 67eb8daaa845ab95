/** The host page: Grafana's own packages, set up as Grafana does it, around the built plugin. */
import { type AppPlugin, createTheme, EventBusSrv, type PanelPlugin, type PluginMeta, ThemeContext } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { config, setAppEvents, setBackendSrv, setTemplateSrv } from '@grafana/runtime';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

// Grafana's own door, which the package does not offer by name
// @ts-expect-error it has no types there
import { setPluginPage } from '../node_modules/@grafana/runtime/dist/esm/components/PluginPage.mjs';

import { APP, PANEL_FOLDER } from './boot';
import { backendSrv } from './backendSrv';
import { registerEditors } from './editors';
import { AppPage, ConfigPage, DashboardPage, PluginFrame } from './pages';
import { loadPlugin, offerPackages } from './pluginLoader';
import { Toasts } from './Toasts';
import { templateSrv } from './variables';

async function page(): Promise<ReactNode> {
  const dashboard = window.standinDashboard;
  if (dashboard) {
    return <DashboardPage plugin={await loadPlugin<PanelPlugin>(PANEL_FOLDER)} dashboard={dashboard} />;
  }
  const plugin = await loadPlugin<AppPlugin>();
  const meta: PluginMeta = await backendSrv.get(`/api/plugins/${APP}/settings`);
  plugin.init(meta as never);
  return window.location.pathname.startsWith('/a/') ? (
    <AppPage plugin={plugin} meta={meta} />
  ) : (
    <ConfigPage plugin={plugin} meta={meta} />
  );
}

async function start(): Promise<void> {
  registerEditors();
  setBackendSrv(backendSrv);
  setTemplateSrv(templateSrv);
  setAppEvents(new EventBusSrv());
  setPluginPage(PluginFrame);
  await initPluginTranslations(APP);
  offerPackages();
  const theme = createTheme({ colors: { mode: config.bootData.user.theme === 'light' ? 'light' : 'dark' } });
  const content = await page();
  createRoot(document.getElementById('reactRoot')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {content}
      <Toasts />
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

void start();
