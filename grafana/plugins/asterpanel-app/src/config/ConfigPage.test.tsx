import { AppPlugin, AppPluginMeta } from '@grafana/data';
import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';

import { errorBody, FakeBackend, meOf } from '../actions/testing';
import pluginJson from '../plugin.json';
import type { AppSettings } from '../settings';
import ConfigPage from './ConfigPage';
import { SettingsForm } from './SettingsForm';

jest.setTimeout(30_000);

let backend: FakeBackend;

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => backend,
}));

beforeEach(() => {
  backend = new FakeBackend();
});

const SECRET = 'route-secret-of-16';

function metaOf(change: Partial<AppPluginMeta<AppSettings>> = {}): AppPluginMeta<AppSettings> {
  return { enabled: true, pinned: false, jsonData: {}, ...change } as AppPluginMeta<AppSettings>;
}

const SAVED = metaOf({ jsonData: { apiUrl: 'http://control:9978' }, secureJsonFields: { apiToken: true } });

function showForm(meta: AppPluginMeta<AppSettings>) {
  const onSaved = jest.fn();
  render(<SettingsForm meta={meta} onTouched={() => {}} onSaved={onSaved} />);
  return { user: userEvent.setup({ delay: null }), onSaved };
}

function showPage(meta: AppPluginMeta<AppSettings>) {
  const plugin = new AppPlugin<AppSettings>();
  plugin.meta = meta;
  render(<ConfigPage plugin={plugin} query={{}} />);
  return userEvent.setup({ delay: null });
}

describe('the settings', () => {
  it('are saved under the names that the route of plugin.json goes by', async () => {
    const { user, onSaved } = showForm(metaOf({ enabled: false, jsonData: { other: 'kept' } as AppSettings }));
    await user.type(screen.getByRole('textbox', { name: /^API URL/ }), 'http://control:9978/ ');
    await user.type(screen.getByLabelText(/^Route secret/), SECRET);
    await user.click(screen.getByRole('button', { name: 'Save and enable' }));
    expect(backend.only).toMatchObject({
      method: 'POST',
      url: '/api/plugins/asterpanel-app/settings',
      data: {
        enabled: true,
        pinned: false,
        jsonData: { other: 'kept', apiUrl: 'http://control:9978' },
        secureJsonData: { apiToken: SECRET },
      },
    });
    const [route] = pluginJson.routes;
    expect(route.url).toContain('.JsonData.apiUrl');
    expect(JSON.stringify(route.headers)).toContain('.SecureJsonData.apiToken');
    expect(onSaved).not.toHaveBeenCalled();
    await act(async () => backend.only.answer({}));
    expect(onSaved).toHaveBeenCalledTimes(1);
  });

  it('keep a secret that is saved: it is neither shown nor sent', async () => {
    const { user } = showForm(SAVED);
    expect(screen.getByLabelText(/^Route secret/)).toBeDisabled();
    await user.type(screen.getByRole('textbox', { name: /^API URL/ }), '/panel');
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(backend.only.data).toEqual({
      enabled: true,
      pinned: false,
      jsonData: { apiUrl: 'http://control:9978/panel' },
    });
  });

  it('replace a secret that is typed anew', async () => {
    const { user } = showForm(SAVED);
    await user.click(screen.getByRole('button', { name: 'Reset' }));
    expect(screen.getByRole('button', { name: 'Save' })).toBeDisabled();
    await user.type(screen.getByLabelText(/^Route secret/), SECRET);
    await user.click(screen.getByRole('button', { name: 'Save' }));
    expect(backend.only.data).toMatchObject({ secureJsonData: { apiToken: SECRET } });
  });

  it('say what is wrong with them', async () => {
    const { user } = showForm(metaOf());
    await user.type(screen.getByRole('textbox', { name: /^API URL/ }), 'control:9978');
    expect(screen.getByText('The address must begin with http:// or https://.')).toBeVisible();
    await user.type(screen.getByLabelText(/^Route secret/), 'short');
    expect(screen.getByText(/at least 16 characters/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Save' })).toBeDisabled();
  });

  it('that are not saved: say so, with Grafana’s reason', async () => {
    const { user, onSaved } = showForm(SAVED);
    await user.click(screen.getByRole('button', { name: 'Save' }));
    await act(async () => backend.only.refuse(403, { message: 'permission needed: plugins:write' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('HTTP 403: permission needed: plugins:write');
    expect(onSaved).not.toHaveBeenCalled();
    expect(screen.getByRole('button', { name: 'Save' })).toBeEnabled();
  });
});

describe('the test of the connection', () => {
  const CONNECTION = {
    tenant: 'default',
    now: Date.now() / 1000,
    version: '0.7.0',
    identity: { accepted: ['context'], found: ['context'], believed: true, via: 'context', login: 'anna' },
    profiles: 1,
    switchboards: 1,
    exporter: { connected: true },
  };

  it('says when everything works', async () => {
    const user = showPage(SAVED);
    backend.standing.set('/v1/connection', { ...CONNECTION, now: Date.now() / 1000 });
    backend.standing.set('/v1/me', meOf());
    await user.click(screen.getByRole('button', { name: 'Test the connection' }));
    expect(await screen.findByText('Everything works.')).toBeVisible();
    const checks = within(screen.getByRole('list', { name: 'Checks' })).getAllByRole('listitem');
    expect(checks).toHaveLength(7);
    checks.forEach((check) => expect(check).toHaveTextContent(/^\s*Works/));
  });

  it('says what does not, and what to do next', async () => {
    const user = showPage(SAVED);
    await user.click(screen.getByRole('button', { name: 'Test the connection' }));
    await act(async () => backend.requests[0].refuse(401, errorBody('unauthenticated')));
    await act(async () => backend.requests[1].refuse(401, errorBody('unauthenticated')));
    const [api, secret, identity] = await screen.findAllByRole('listitem');
    expect(api).toHaveTextContent(/Works.*Control API/);
    expect(secret).toHaveTextContent(/Fails.*Secret.*does not know this secret.*route_secret_file/);
    expect(identity).toHaveTextContent(/Not tested/);
    expect(screen.getByText('1 check needs your attention.')).toBeVisible();
  });

  it('goes by what is saved, not by what is typed', async () => {
    const user = showPage(SAVED);
    await user.type(screen.getByRole('textbox', { name: /^API URL/ }), '1');
    expect(screen.getByRole('button', { name: 'Test the connection' })).toBeDisabled();
    expect(screen.getByText(/not saved yet/)).toBeVisible();
  });
});
