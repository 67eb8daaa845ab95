import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { PluginPage } from '@grafana/runtime';
import { Alert, LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import React from 'react';

import { Problem } from '../components/Problem';
import { useTexts } from '../i18n';
import { useMe } from '../live/useMe';
import { MyStatus } from './MyStatus';
import { WhoIAm } from './WhoIAm';

/** An agent's own page: who one is, how one's agent is, and a pause and its end. */
export default function MePage() {
  const { me: texts } = useTexts();
  return (
    <PluginPage renderTitle={() => <h1>{texts.title}</h1>}>
      <Content />
    </PluginPage>
  );
}

function Content() {
  const texts = useTexts();
  const styles = useStyles2(getStyles);
  const { me, error, reload } = useMe();
  if (!me) {
    return error ? <Problem error={error} onRetry={reload} /> : <LoadingPlaceholder text={texts.common.loading} />;
  }
  const boards = me.switchboards.filter((board) => board.agent !== '');
  return (
    <div className={styles.page}>
      <WhoIAm me={me} />
      {boards.length > 0 ? (
        <MyStatus me={me} boards={boards} onRetry={reload} />
      ) : (
        <Alert severity="info" title={texts.me.noAgent}>
          {texts.me.noAgentNext(me.login)}
        </Alert>
      )}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(2),
    maxWidth: theme.breakpoints.values.md,
    overflowWrap: 'anywhere',
  }),
});
