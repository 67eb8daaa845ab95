import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { useId } from 'react';

import type { BoardOfMine } from '../api/types';
import { useTexts } from '../i18n';
import { isolated } from '../i18n/isolated';
import { OnlySaid } from './OnlySaid';

interface Props {
  /** Those in sight. */
  boards: readonly BoardOfMine[];
  value: string;
  onChange(switchboard: string): void;
}

/**
 * The "Current switchboard" menu; only its name, if there is no other to choose. The browser's own menu: Grafana's `Select`
 * is deprecated in newer versions, and its successor is not in older ones.
 */
export function SwitchboardSelect({ boards, value, onChange }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts();
  const id = useId();
  const isInSight = boards.some(({ name }) => name === value);
  if (boards.length === 0 || (boards.length === 1 && isInSight)) {
    return (
      <span className={styles.name} title={texts.common.currentSwitchboard}>
        {isolated(value)}
      </span>
    );
  }
  return (
    <span className={styles.field}>
      <label htmlFor={id}>
        <OnlySaid>{texts.common.currentSwitchboard}</OnlySaid>
      </label>
      <select
        id={id}
        className={styles.select}
        title={texts.common.currentSwitchboard}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {!isInSight && (
          <option value={value} disabled>
            {texts.common.chooseSwitchboard}
          </option>
        )}
        {boards.map(({ name }) => (
          <option key={name} value={name}>
            {isolated(name)}
          </option>
        ))}
      </select>
    </span>
  );
}

function getStyles(theme: GrafanaTheme2) {
  const { input } = theme.components;
  return {
    field: css({ position: 'relative', minWidth: 0 }),
    name: css({ fontWeight: theme.typography.fontWeightMedium }),
    select: css({
      height: `calc(${theme.spacing(theme.components.height.md)} * var(--asterpanel-scale, 1))`,
      fontSize: 'inherit',
      width: 'auto', // Grafana's own rule for menus is a fixed one
      maxWidth: '100%',
      padding: theme.spacing(0, 1),
      color: input.text,
      background: input.background,
      border: `1px solid ${input.borderColor}`,
      borderRadius: theme.shape.radius.default,
      fontWeight: theme.typography.fontWeightMedium,
      '&:hover': { borderColor: input.borderHover },
      '&:focus-visible': { outline: `2px solid ${theme.colors.primary.border}`, outlineOffset: 1 },
      '& option': { color: theme.colors.text.primary, background: theme.colors.background.primary },
    }),
  };
}
