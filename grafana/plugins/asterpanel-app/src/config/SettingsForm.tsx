import { AppPluginMeta } from '@grafana/data';
import { getBackendSrv, isFetchError } from '@grafana/runtime';
import { Alert, Button, Field, FieldSet, Input, SecretInput } from '@grafana/ui';
import React, { FormEvent, useId, useState } from 'react';
import { lastValueFrom } from 'rxjs';

import { PLUGIN_ID } from '../constants';
import { useTexts } from '../i18n';
import type { AppSettings } from '../settings';
import { problemOfUrl, savedUrl } from './apiUrl';
import { problemOfSecret } from './routeSecret';

type Meta = AppPluginMeta<AppSettings>;

interface Props {
  /** As saved. */
  meta: Meta;
  /** Told whether there is something typed that is not saved. */
  onTouched(isTouched: boolean): void;
  onSaved(): void;
}

/** The control API's address and the route's secret. A secret that is saved is never shown, only replaced. */
export function SettingsForm({ meta, onTouched, onSaved }: Props) {
  const { config: texts } = useTexts();
  const [url, setUrl] = useState(meta.jsonData?.apiUrl ?? '');
  const [secret, setSecret] = useState('');
  const [isKept, setIsKept] = useState(meta.secureJsonFields?.apiToken === true);
  const [isSaving, setIsSaving] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const ids = { url: useId(), secret: useId() };

  const urlProblem = problemOfUrl(url);
  const secretProblem = isKept ? null : problemOfSecret(secret);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (urlProblem || secretProblem || isSaving) {
      return;
    }
    setIsSaving(true);
    setFailure(null);
    try {
      await save(meta, url, isKept ? null : secret);
      onSaved();
    } catch (error) {
      setFailure(wordsOf(error));
    } finally {
      setIsSaving(false);
    }
  };
  return (
    <form onSubmit={submit} noValidate>
      <FieldSet label={texts.settings}>
        <Field
          label={texts.url}
          description={texts.urlHelp}
          invalid={url !== '' && urlProblem !== null}
          error={urlProblem && texts.urlProblems[urlProblem]}
        >
          <Input
            id={ids.url}
            type="url"
            value={url}
            placeholder={texts.urlPlaceholder}
            onChange={(event) => {
              setUrl(event.currentTarget.value);
              onTouched(true);
            }}
          />
        </Field>
        <Field
          label={texts.secret}
          description={texts.secretHelp}
          invalid={secret !== '' && secretProblem !== null}
          error={secretProblem && texts.secretProblems[secretProblem]}
        >
          <SecretInput
            id={ids.secret}
            isConfigured={isKept}
            value={secret}
            autoComplete="off"
            onReset={() => {
              setIsKept(false);
              onTouched(true);
            }}
            onChange={(event) => {
              setSecret(event.currentTarget.value);
              onTouched(true);
            }}
          />
        </Field>
        <p>{texts.provisioned}</p>
        <Button type="submit" disabled={urlProblem !== null || secretProblem !== null || isSaving}>
          {meta.enabled ? texts.save : texts.saveAndEnable}
        </Button>
      </FieldSet>
      {failure !== null && (
        <Alert severity="error" title={texts.saveFailed}>
          <div>{texts.saveFailedNext}</div>
          <div lang="en">{failure}</div>
        </Alert>
      )}
    </form>
  );
}

/** Save the settings, and enable the app. Whatever else it has in `jsonData` stays; so does a secret that is kept. */
async function save(meta: Meta, url: string, secret: string | null): Promise<void> {
  const data = {
    enabled: true,
    pinned: meta.pinned ?? true,
    jsonData: { ...meta.jsonData, apiUrl: savedUrl(url) },
    ...(secret === null ? {} : { secureJsonData: { apiToken: secret.trim() } }),
  };
  await lastValueFrom(
    getBackendSrv().fetch({
      method: 'POST',
      url: `/api/plugins/${PLUGIN_ID}/settings`,
      data,
      showErrorAlert: false,
      showSuccessAlert: false,
    })
  );
}

function wordsOf(error: unknown): string {
  if (isFetchError(error)) {
    return `HTTP ${error.status}: ${error.data?.message ?? error.statusText ?? ''}`;
  }
  return String(error);
}
