import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Alert, useStyles2 } from '@grafana/ui';
import React, { useDeferredValue, useMemo, useState } from 'react';

import type { LiveState, Me } from '../api/types';
import { useMeasures } from '../components/density';
import { Texts, useTexts } from '../i18n';
import type { Live } from '../live/useLive';
import { doubtOf } from '../view/freshness';
import { layoutOf, Section } from '../view/layout';
import { AgentsSection } from './AgentsSection';
import { CallsSection } from './CallsSection';
import { Options, SECTIONS } from './options';
import { PanelViewContext } from './PanelView';
import { QueuesSection } from './QueuesSection';
import { SectionTabs } from './SectionTabs';
import { Rows, useRows } from './useRows';

interface Props {
  me: Me;
  live: Live;
  document: LiveState;
  options: Options;
  /** Of the panel, in pixels. */
  width: number;
  height: number;
  typed: string;
  onClear(): void;
}

/** About what the panel's header takes, in pixels. */
const HEADER_PX = 44;
const GAP_PX = 16;
/** How a row of columns is divided. */
const SHARES: Record<Section, number> = { queues: 5, agents: 7, calls: 3 };

/** The sections, side by side or as tabs; greyed while they must not be relied on. */
export function Board({ me, live, document, width, height, ...props }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  const { options } = props;
  const sections = options.sections.length > 0 ? options.sections : SECTIONS;
  const { scale } = useMeasures();
  const rows = useRows(document, options);
  const typed = useDeferredValue(props.typed);
  const view = useMemo(() => ({ me, switchboard: document.switchboard }), [me, document.switchboard]);
  const layout = useMemo(
    () => layoutOf(width / scale, (height - HEADER_PX) / scale, sections),
    [width, height, scale, sections]
  );
  const [tab, setTab] = useState<Section>('queues');
  const shownTab = sections.includes(tab) ? tab : sections[0];
  const section = (which: Section, sectionWidth: number) => (
    <SectionOf which={which} rows={rows} {...props} typed={typed} width={sectionWidth} />
  );
  return (
    <PanelViewContext.Provider value={view}>
      {rows.pattern.error !== null && <Alert severity="error" title={texts.badPattern(rows.pattern.error)} />}
      <div className={cx(styles.board, doubtOf(live) !== null && styles.doubtful)}>
        {layout.is === 'tabs' ? (
          <SectionTabs sections={sections} counts={countsOf(texts, rows)} shown={shownTab} onShow={setTab}>
            {section(shownTab, width)}
          </SectionTabs>
        ) : (
          <Columns columns={layout.columns} width={width} titles={texts.sections} counts={countsOf(texts, rows)}>
            {section}
          </Columns>
        )}
      </div>
    </PanelViewContext.Provider>
  );
}

interface SectionOfProps {
  which: Section;
  rows: Rows;
  options: Options;
  width: number;
  typed: string;
  onClear(): void;
}

function SectionOf({ which, rows, ...props }: SectionOfProps) {
  const { options } = props;
  switch (which) {
    case 'queues':
      return <QueuesSection key={options.queueOrder} rows={rows.queues} isAny={rows.isAnyQueue} {...props} />;
    case 'agents':
      return <AgentsSection key={options.agentOrder} rows={rows.agents} isAny={rows.isAnyAgent} {...props} />;
    case 'calls':
      return <CallsSection rows={rows.calls} isAny {...props} />;
  }
}

interface ColumnsProps {
  columns: ReadonlyArray<readonly Section[]>;
  width: number;
  titles: Record<Section, string>;
  counts: Record<Section, string>;
  children(section: Section, width: number): React.ReactNode;
}

function Columns({ columns, width, titles, counts, children }: ColumnsProps) {
  const styles = useStyles2(getStyles);
  const shares = columns.map((sections) => Math.max(...sections.map((section) => SHARES[section])));
  const all = shares.reduce((sum, share) => sum + share, 0);
  const room = width - GAP_PX * (columns.length - 1);
  return (
    <div className={styles.columns}>
      {columns.map((sections, at) => (
        <div key={sections[0]} className={styles.column} style={{ flexGrow: shares[at] }}>
          {sections.map((section) => (
            <section
              key={section}
              aria-label={titles[section]}
              className={styles.section}
              style={{ flexGrow: sections.length > 1 && section === 'calls' ? 1 : 2 }}
            >
              <h3 className={styles.title}>
                {titles[section]} <span className={styles.count}>{counts[section]}</span>
              </h3>
              {children(section, (room * shares[at]) / all)}
            </section>
          ))}
        </div>
      ))}
    </div>
  );
}

function countsOf(texts: Texts['panel'], { queues, agents, calls }: Rows): Record<Section, string> {
  const waiting = queues.reduce((sum, { queue }) => sum + queue.waiting.length, 0);
  const free = agents.filter(({ agent }) => agent.state === 'idle').length;
  return {
    queues: texts.waitingInAll(waiting),
    agents: texts.freeOfAll(free, agents.length),
    calls: texts.callCount(calls.length),
  };
}

function getStyles(theme: GrafanaTheme2) {
  const { colors, typography } = theme;
  return {
    board: css({ display: 'flex', flexDirection: 'column', flex: 1, minHeight: 0 }),
    // Grey, and still as easy to read: of a strong red, a faint grey would be left
    doubtful: css({
      background: colors.background.primary,
      filter: 'grayscale(1)',
      '--asterpanel-figure': colors.text.primary,
    }),
    columns: css({ display: 'flex', flex: 1, minHeight: 0, gap: GAP_PX }),
    column: css({ display: 'flex', flexDirection: 'column', flexBasis: 0, minWidth: 0, gap: GAP_PX }),
    section: css({ display: 'flex', flexDirection: 'column', flexBasis: 0, minHeight: 0 }),
    title: css({
      display: 'flex',
      flexShrink: 0,
      alignItems: 'baseline',
      gap: theme.spacing(1),
      margin: theme.spacing(0, 1, 0.5),
      fontSize: '1em',
      fontWeight: typography.fontWeightMedium,
    }),
    count: css({ color: colors.text.secondary, fontWeight: typography.fontWeightRegular, fontSize: '0.9em' }),
  };
}
