import { css } from '@emotion/css';
import { GrafanaTheme2, IconName } from '@grafana/data';
import { Alert, Button, FieldSet, useStyles2 } from '@grafana/ui';
import React, { useState } from 'react';

import { controlApi } from '../api/ControlApi';
import { ChangingIcon } from '../components/ChangingIcon';
import { useTexts } from '../i18n';
import { testConnection } from './connectionTest';
import { Check, diagnose, Findings } from './diagnosis';

interface Props {
  /** Whether an address, and a secret, are saved. */
  hasUrl: boolean;
  hasSecret: boolean;
  /** Whether something is typed that the test would not go by. */
  isUnsaved: boolean;
}

/** Tests what is saved, and lists what works, what does not, and what to do about it. */
export function ConnectionTest({ hasUrl, hasSecret, isUnsaved }: Props) {
  const { config: texts } = useTexts();
  const [isTesting, setIsTesting] = useState(false);
  const [findings, setFindings] = useState<Findings | null>(null);
  const test = async () => {
    setIsTesting(true);
    setFindings({ hasUrl, hasSecret, ...(await testConnection(controlApi())) });
    setIsTesting(false);
  };
  return (
    <FieldSet label={texts.test}>
      <p>{isUnsaved ? texts.saveFirst : texts.testHelp}</p>
      <Button type="button" icon="sync" variant="secondary" disabled={isUnsaved || isTesting} onClick={test}>
        {texts.test}
      </Button>
      <div aria-live="polite">
        {isTesting && <p>{texts.testing}</p>}
        {findings && !isTesting && <Checks checks={diagnose(texts, findings)} />}
      </div>
    </FieldSet>
  );
}

function Checks({ checks }: { checks: Check[] }) {
  const { config: texts } = useTexts();
  const styles = useStyles2(getStyles);
  const count = checks.filter(({ is }) => is === 'failed' || is === 'warning').length;
  return (
    <>
      <Alert
        className={styles.sum}
        severity={count > 0 ? 'warning' : 'success'}
        title={count > 0 ? texts.notAllOk(count) : texts.allOk}
      />
      <ul aria-label={texts.checks} className={styles.checks}>
        {checks.map((check) => (
          <CheckItem key={check.id} check={check} />
        ))}
      </ul>
    </>
  );
}

const ICONS: Record<Check['is'], IconName> = {
  ok: 'check-circle',
  warning: 'exclamation-triangle',
  failed: 'times-circle',
  unknown: 'question-circle',
};

function CheckItem({ check: { id, is, words, next } }: { check: Check }) {
  const { config: texts } = useTexts();
  const styles = useStyles2(getStyles);
  return (
    <li className={styles.check}>
      <span className={styles[is]}>
        <ChangingIcon name={ICONS[is]} /> {texts.results[is]}
      </span>
      <div>
        <strong>{texts.names[id]}</strong>
        <p className={styles.words}>{words}</p>
        {next && <p className={styles.next}>→ {next}</p>}
      </div>
    </li>
  );
}

function getStyles(theme: GrafanaTheme2) {
  const { success, warning, error, text, border } = theme.colors;
  return {
    sum: css({ marginTop: theme.spacing(2) }),
    checks: css({ listStyle: 'none' }),
    check: css({
      display: 'grid',
      gridTemplateColumns: '120px 1fr',
      gap: theme.spacing(0.5, 2),
      padding: theme.spacing(1, 0),
      borderTop: `1px solid ${border.weak}`,
      [theme.breakpoints.down('sm')]: { gridTemplateColumns: '1fr' },
    }),
    words: css({ margin: 0 }),
    next: css({ margin: 0, color: text.secondary }),
    ok: css({ color: success.text }),
    warning: css({ color: warning.text }),
    failed: css({ color: error.text }),
    unknown: css({ color: text.secondary }),
  };
}
