import { dirname } from 'node:path';

import { defineConfig } from '@playwright/test';
import type { PluginOptions } from '@grafana/plugin-e2e';

const { GRAFANA_URL, GRAFANA_ADMIN_USER, GRAFANA_ADMIN_PASSWORD, CHROMIUM, PLAYWRIGHT_OUTPUT } = process.env;

const user = { user: GRAFANA_ADMIN_USER ?? 'admin', password: GRAFANA_ADMIN_PASSWORD ?? 'admin' };

/**
 * The scenarios of `e2e/` in a real Grafana, which has the built plugin and a control API.
 *
 * GRAFANA_URL, GRAFANA_ADMIN_USER and GRAFANA_ADMIN_PASSWORD say where it is and as whom to sign in, CHROMIUM which
 * browser to start (else Playwright's own). tests/e2e/test_plugin_editor.py of the repository sets all this up.
 */
export default defineConfig<PluginOptions>({
  testDir: './e2e',
  outputDir: PLAYWRIGHT_OUTPUT ?? 'test-results',
  workers: 1,
  reporter: 'list',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    baseURL: GRAFANA_URL ?? 'http://localhost:3000',
    user,
    grafanaAPICredentials: user,
    locale: 'en-US',
    viewport: { width: 1920, height: 1080 },
    launchOptions: { executablePath: CHROMIUM, args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'sign in', testDir: `${dirname(require.resolve('@grafana/plugin-e2e'))}/auth`, testMatch: /.*\.js/ },
    {
      name: 'chromium',
      use: { storageState: `playwright/.auth/${user.user}.json` },
      dependencies: ['sign in'],
    },
  ],
});
