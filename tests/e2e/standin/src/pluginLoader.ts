/** Loads built plugins as Grafana does: SystemJS, with Grafana's own packages under their names. */
import 'systemjs/dist/system.js';
import 'systemjs/dist/extras/amd.js';

import * as emotionCss from '@emotion/css';
import * as grafanaData from '@grafana/data';
import * as grafanaRuntime from '@grafana/runtime';
import * as grafanaUi from '@grafana/ui';
import * as react from 'react';
import * as reactDom from 'react-dom';
import * as rxjs from 'rxjs';

import { APP } from './boot';

/**
 * What every supported Grafana has, and nothing more: a plugin that asks for another package (`react/jsx-runtime`,
 * say, which Grafana 10 has not) does not load.
 */
const OFFERED: Record<string, object> = {
  '@emotion/css': emotionCss,
  '@grafana/data': grafanaData,
  '@grafana/runtime': grafanaRuntime,
  '@grafana/ui': grafanaUi,
  react,
  'react-dom': reactDom,
  rxjs,
};

/** Makes the packages known, as they are by then: some of what they have is set up by their host. */
export function offerPackages(): void {
  for (const [name, module] of Object.entries(OFFERED)) {
    System.set(`package:${name}`, { default: module, ...module });
  }
  System.addImportMap({
    imports: Object.fromEntries(Object.keys(OFFERED).map((name) => [name, `package:${name}`])),
  });
}

/** The plugin that a folder of the app has; "" is the app itself. */
export async function loadPlugin<T>(folder = ''): Promise<T> {
  const path = [APP, folder, 'module.js'].filter(Boolean).join('/');
  const module = await System.import(`/public/plugins/${path}`);
  return module.plugin;
}
