import { expect, test } from '@grafana/plugin-e2e';

import pluginJson from '../src/plugin.json';

/** What only a real Grafana has: its editor of panels, its pages of plugins, its navigation. */

const PLUGIN = { pluginId: pluginJson.id };

/** Of a dashboard with the panel as its panel 1, and a variable `switchboard`. */
const DASHBOARD_UID = process.env.DASHBOARD_UID ?? 'asterpanel-e2e';

test('the panel editor shows the panel’s options, which change the panel', async ({ gotoPanelEditPage, page }) => {
  const editor = await gotoPanelEditPage({ dashboard: { uid: DASHBOARD_UID }, id: '1' });
  const filter = page.getByRole('textbox', { name: 'Filter', exact: true });
  await expect(page.getByRole('table', { name: 'Agents' })).toBeVisible();
  await expect(filter).toBeVisible();
  for (const name of ['Dashboard variable', 'Sections', 'Density', 'Only these queues', 'Hide who is unavailable']) {
    await expect(page.getByText(name, { exact: true })).toBeVisible();
  }
  await editor.getCustomOptions('Asterpanel').getSwitch('Search field').uncheck();
  await expect(filter).toHaveCount(0);
});

test('the panel can be chosen as a visualization', async ({ gotoPanelEditPage }) => {
  const editor = await gotoPanelEditPage({ dashboard: { uid: DASHBOARD_UID }, id: '1' });
  await expect(editor.getVisualizationName()).toContainText('Asterpanel live');
});

test('the configuration page saves', async ({ gotoAppConfigPage, page }) => {
  await gotoAppConfigPage(PLUGIN);
  const saved = page.waitForResponse(
    (answer) => answer.request().method() === 'POST' && answer.url().endsWith(`/api/plugins/${pluginJson.id}/settings`)
  );
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  expect((await saved).ok()).toBe(true);
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await expect(page.getByText('Everything works.')).toBeVisible();
});

test('the agent’s own page is in the navigation', async ({ gotoAppPage, page }) => {
  await gotoAppPage({ ...PLUGIN, path: '/me' });
  await expect(page.getByRole('heading', { name: 'My status' }).first()).toBeVisible();
  await expect(page.getByText('You are not an agent')).toBeVisible();
});
