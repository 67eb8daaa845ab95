import { AppPlugin, AppRootProps } from '@grafana/data';
import { LoadingPlaceholder } from '@grafana/ui';
import React, { lazy, Suspense } from 'react';

import type { ConfigPageProps } from './config/ConfigPage';
import { texts, useTexts } from './i18n';
import type { AppSettings } from './settings';

const LazyMePage = lazy(() => import('./me/MePage'));
const LazyConfigPage = lazy(() => import('./config/ConfigPage'));

/** The app has one page: whatever path leads here, it is the agent's own. */
function App(_: AppRootProps) {
  return (
    <Suspense fallback={<Loading />}>
      <LazyMePage />
    </Suspense>
  );
}

function Configuration(props: ConfigPageProps) {
  return (
    <Suspense fallback={<Loading />}>
      <LazyConfigPage {...props} />
    </Suspense>
  );
}

function Loading() {
  return <LoadingPlaceholder text={useTexts().common.loading} />;
}

export const plugin = new AppPlugin<AppSettings>().setRootPage(App).addConfigPage({
  title: texts().config.tab,
  icon: 'cog',
  body: Configuration,
  id: 'configuration',
});
