import { Alert, Button, LinkButton } from '@grafana/ui';
import { config } from '@grafana/runtime';
import React from 'react';

import type { ApiError } from '../api/ApiError';
import { CONFIG_PATH } from '../constants';
import { useTexts } from '../i18n';
import { problemWords } from './problemWords';

interface Props {
  error: ApiError;
  onRetry(): void;
}

/** Why there is nothing to see, and what to do next; for administrators with the way to the configuration. */
export function Problem({ error, onRetry }: Props) {
  const { panel, common } = useTexts();
  const { title, next } = problemWords(panel, error);
  const maySetUp = error.id === 'not_configured' && isAdmin();
  return (
    <Alert severity="warning" title={title}>
      <p>{next}</p>
      {error.message !== '' && (
        <p>
          {panel.apiSays} <span lang="en">{error.message}</span>
        </p>
      )}
      {maySetUp && (
        <LinkButton href={`${config.appSubUrl ?? ''}${CONFIG_PATH}`} icon="cog">
          {panel.openConfiguration}
        </LinkButton>
      )}{' '}
      <Button variant="secondary" icon="sync" onClick={onRetry}>
        {common.tryAgain}
      </Button>
    </Alert>
  );
}

/** Whether Grafana lets one into the configuration of apps. */
function isAdmin(): boolean {
  const { user } = config.bootData;
  return user.orgRole === 'Admin' || user.isGrafanaAdmin;
}
