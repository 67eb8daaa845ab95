import { css } from '@emotion/css';
import { AppPluginMeta, GrafanaTheme2, PluginConfigPageProps } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';

import type { AppSettings } from '../settings';
import { ConnectionTest } from './ConnectionTest';
import { SettingsForm } from './SettingsForm';

export type ConfigPageProps = PluginConfigPageProps<AppPluginMeta<AppSettings>>;

/** The app's configuration: where the control API is, with which secret, and whether that works. */
export default function ConfigPage({ plugin }: ConfigPageProps) {
  const styles = useStyles2(getStyles);
  const [isTouched, setIsTouched] = useState(false);
  const { meta } = plugin;
  return (
    <div className={styles.page}>
      {/* The app is loaded anew, with its settings */}
      <SettingsForm meta={meta} onTouched={setIsTouched} onSaved={() => window.location.reload()} />
      <ConnectionTest
        hasUrl={Boolean(meta.jsonData?.apiUrl)}
        hasSecret={meta.secureJsonFields?.apiToken === true}
        isUnsaved={isTouched}
      />
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(4),
    maxWidth: theme.breakpoints.values.md,
    overflowWrap: 'anywhere',
  }),
});
