import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { KeyboardEvent, PropsWithChildren, useId, useRef } from 'react';

import { useTexts } from '../i18n';
import type { Section } from '../view/layout';

interface Props {
  sections: readonly Section[];
  /** How many there are of each. */
  counts: Record<Section, string>;
  shown: Section;
  onShow(section: Section): void;
}

const STEPS: Record<string, (at: number, count: number) => number> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** The sections one at a time, where there is no room to have them side by side. Arrow keys go from tab to tab. */
export function SectionTabs({ sections, counts, shown, onShow, children }: PropsWithChildren<Props>) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step) {
      event.preventDefault();
      const next = step(sections.indexOf(shown), sections.length);
      onShow(sections[next]);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next].focus();
    }
  };
  return (
    <>
      <div ref={list} role="tablist" aria-label={texts.sectionTabs} className={styles.list} onKeyDown={onKeyDown}>
        {sections.map((section) => (
          <button
            key={section}
            type="button"
            role="tab"
            id={`${id}-${section}`}
            aria-selected={section === shown}
            aria-controls={`${id}-panel`}
            tabIndex={section === shown ? 0 : -1}
            className={cx(styles.tab, section === shown && styles.shown)}
            onClick={() => onShow(section)}
          >
            <span>{texts.tabs[section]}</span>
            <span className={styles.count}>{counts[section]}</span>
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${shown}`} className={styles.panel}>
        {children}
      </div>
    </>
  );
}

function getStyles(theme: GrafanaTheme2) {
  const { colors } = theme;
  return {
    list: css({ display: 'flex', flexShrink: 0, borderBottom: `1px solid ${colors.border.weak}` }),
    tab: css({
      display: 'flex',
      flexDirection: 'column',
      flex: 1,
      minWidth: 0,
      minHeight: 40,
      padding: theme.spacing(0.5, 1),
      textAlign: 'center',
      border: 'none',
      borderBottom: '2px solid transparent',
      background: 'none',
      color: colors.text.secondary,
      lineHeight: 1.3,
      '& > span': { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', width: '100%' },
      '&:hover': { color: colors.text.primary },
      '&:focus-visible': { outline: `2px solid ${colors.primary.border}`, outlineOffset: -2 },
    }),
    shown: css({ color: colors.text.primary, borderBottomColor: colors.primary.border }),
    count: css({ fontSize: theme.typography.bodySmall.fontSize, color: colors.text.secondary }),
    panel: css({ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 0 }),
  };
}
