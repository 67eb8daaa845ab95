import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Icon, IconButton, Input, useStyles2 } from '@grafana/ui';
import React from 'react';

import type { BoardOfMine } from '../api/types';
import { FreshnessLine } from '../components/FreshnessBar';
import { SwitchboardSelect } from '../components/SwitchboardSelect';
import { useTexts } from '../i18n';
import type { Live } from '../live/useLive';

interface Props {
  boards: readonly BoardOfMine[];
  switchboard: string;
  onChoose(switchboard: string): void;
  /** null: there is no connection yet. */
  live: Live | null;
  timeZone: string | undefined;
  /** What is in the search field; null: there is none. */
  typed: string | null;
  onType(typed: string): void;
}

/** The panel's first line: which switchboard, how fresh, and the search field. */
export function PanelHeader({ boards, switchboard, onChoose, live, timeZone, typed, onType }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.header}>
      <SwitchboardSelect boards={boards} value={switchboard} onChange={onChoose} />
      {live && <FreshnessLine live={live} timeZone={timeZone} />}
      {typed !== null && <Search typed={typed} onType={onType} />}
    </div>
  );
}

function Search({ typed, onType }: { typed: string; onType(typed: string): void }) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  return (
    <div className={styles.search}>
      <Input
        aria-label={texts.filter}
        placeholder={texts.filterPlaceholder}
        value={typed}
        onChange={(event) => onType(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && onType('')}
        prefix={<Icon name="search" aria-hidden />}
        suffix={typed !== '' && <IconButton name="times" aria-label={texts.clearFilter} onClick={() => onType('')} />}
      />
    </div>
  );
}

function getStyles(theme: GrafanaTheme2) {
  return {
    header: css({
      display: 'flex',
      flexWrap: 'wrap',
      alignItems: 'center',
      flexShrink: 0,
      gap: theme.spacing(0.75, 1.5),
    }),
    search: css({
      flex: '1 1 180px',
      maxWidth: 'calc(360px * var(--asterpanel-scale))',
      marginLeft: 'auto',
      '& input': { fontSize: 'inherit' },
    }),
  };
}
