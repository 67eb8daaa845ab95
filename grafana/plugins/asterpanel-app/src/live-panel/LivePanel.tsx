import { css } from '@emotion/css';
import { GrafanaTheme2, PanelProps } from '@grafana/data';
import { Alert, LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import React, { CSSProperties, PropsWithChildren, useState } from 'react';

import { ActionsProvider } from '../actions/ActionsProvider';
import type { Me } from '../api/types';
import { MEASURES, MeasuresContext } from '../components/density';
import { Problem } from '../components/Problem';
import { StaleBanner } from '../components/StaleBanner';
import { useTexts } from '../i18n';
import { ClockProvider } from '../live/clock';
import { Live, useLive } from '../live/useLive';
import { useMe } from '../live/useMe';
import { Board } from './Board';
import type { Options } from './options';
import { PanelHeader } from './PanelHeader';
import { useSwitchboard } from './useSwitchboard';

type Props = PanelProps<Options>;

/** The live panel of one switchboard. */
export function LivePanel(props: Props) {
  const { me, error, reload } = useMe();
  const { panel } = useTexts();
  if (me !== null) {
    return (
      <Frame {...props}>
        {me.switchboards.length === 0 ? <NoProfile login={me.login} /> : <Panel {...props} me={me} reload={reload} />}
      </Frame>
    );
  }
  return (
    <Frame {...props}>
      {error ? <Problem error={error} onRetry={reload} /> : <LoadingPlaceholder text={panel.loadingRights} />}
    </Frame>
  );
}

function Panel({ me, reload, ...props }: Props & { me: Me; reload(): void }) {
  const { options, replaceVariables } = props;
  const [shown, choose] = useSwitchboard(me, options.variable, replaceVariables);
  const { switchboard } = shown;
  const [typed, setTyped] = useState('');
  const live = useLive(switchboard, reload);
  const timeZone = ianaZone(props.timeZone);
  return (
    <>
      <PanelHeader
        boards={me.switchboards}
        switchboard={switchboard ?? ''}
        onChoose={choose}
        live={live}
        timeZone={timeZone}
        typed={options.showSearch ? typed : null}
        onType={setTyped}
      />
      {shown.switchboard === null && shown.outOfSight !== null && <OutOfSight switchboard={shown.outOfSight} />}
      {live && (
        <ClockProvider key={live.switchboard} now={live.now}>
          <StaleBanner live={live} timeZone={timeZone} />
          <Content {...props} me={me} live={live} typed={typed} onClear={() => setTyped('')} />
        </ClockProvider>
      )}
    </>
  );
}

interface ContentProps extends Props {
  me: Me;
  live: Live;
  typed: string;
  onClear(): void;
}

function Content({ me, live, ...props }: ContentProps) {
  const { panel } = useTexts();
  if (live.document !== null) {
    return (
      <ActionsProvider me={me} live={live}>
        <Board {...props} me={me} live={live} document={live.document} />
      </ActionsProvider>
    );
  }
  if (live.error) {
    return <Problem error={live.error} onRetry={live.retry} />;
  }
  // Of the end of the right, the banner tells
  return live.status === 'ended' ? null : <LoadingPlaceholder text={panel.connectingTo(live.switchboard)} />;
}

function Frame({ width, height, options, children }: PropsWithChildren<Props>) {
  const styles = useStyles2(getStyles);
  const measures = MEASURES[options.density];
  return (
    <MeasuresContext.Provider value={measures}>
      <div className={styles.frame} style={{ width, height, '--asterpanel-scale': measures.scale } as CSSProperties}>
        {children}
      </div>
    </MeasuresContext.Provider>
  );
}

function NoProfile({ login }: { login: string }) {
  const { noProfile } = useTexts().panel.problems;
  return (
    <Alert severity="warning" title={noProfile.title}>
      {noProfile.next(login)}
    </Alert>
  );
}

function OutOfSight({ switchboard }: { switchboard: string }) {
  const { outOfSight } = useTexts().panel.problems;
  return (
    <Alert severity="warning" title={outOfSight.title(switchboard)}>
      {outOfSight.next}
    </Alert>
  );
}

/** Of a dashboard's time zone; undefined: the browser's. */
function ianaZone(timeZone: string): string | undefined {
  if (timeZone === 'browser' || timeZone === '') {
    return undefined;
  }
  return timeZone === 'utc' ? 'UTC' : timeZone;
}

function getStyles(theme: GrafanaTheme2) {
  const { typography } = theme;
  return {
    frame: css({
      position: 'relative',
      display: 'flex',
      flexDirection: 'column',
      gap: theme.spacing(1),
      overflow: 'hidden',
      fontSize: `calc(${typography.body.fontSize} * var(--asterpanel-scale))`,
    }),
  };
}
