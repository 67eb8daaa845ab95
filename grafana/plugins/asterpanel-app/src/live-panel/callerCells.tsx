import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';

import { may } from '../access/rights';
import { useActions } from '../actions/ActionsProvider';
import { callerKey } from '../actions/subjects';
import { Elapsed } from '../components/Elapsed';
import { Name } from '../components/Name';
import { OnlySaid } from '../components/OnlySaid';
import { RowButton } from '../components/RowButton';
import { useTexts } from '../i18n';
import { formatNumber } from '../i18n/format';
import type { CallerLine } from '../view/queues';
import { usePanelView } from './PanelView';

interface Props {
  row: CallerLine;
}

/** Somebody who waits, beneath his queue. */
export function CallerLineCell({ row }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <span className={styles.line}>
      <Position row={row} />
      <span className={styles.who}>
        <CallerNumber row={row} />
        <CallerName row={row} />
      </span>
      <Priority row={row} />
      <Wait row={row} />
      <CallerActions row={row} />
    </span>
  );
}

/** The same in two lines, where there is little room. */
export function CallerCardCell({ row }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <span className={styles.line}>
      <Position row={row} />
      <span className={styles.card}>
        <CallerNumber row={row} />
        <span className={styles.who}>
          <Wait row={row} />
          <Priority row={row} />
          <CallerName row={row} />
        </span>
      </span>
      <CallerActions row={row} />
    </span>
  );
}

function Position({ row: { caller } }: Props) {
  const styles = useStyles2(getStyles);
  const words = useTexts().panel.callerPosition(caller.position);
  return (
    <span className={styles.position} title={words}>
      <OnlySaid>{words}</OnlySaid>
      <span aria-hidden>{formatNumber(caller.position)}</span>
    </span>
  );
}

function CallerNumber({ row: { caller } }: Props) {
  const styles = useStyles2(getStyles);
  const { unknownNumber } = useTexts().panel;
  return (
    <span className={styles.number}>
      <Name text={caller.caller || unknownNumber} />
    </span>
  );
}

function CallerName({ row: { caller } }: Props) {
  const styles = useStyles2(getStyles);
  return caller.caller_name ? (
    <span className={styles.name}>
      <Name text={caller.caller_name} />
    </span>
  ) : null;
}

function Priority({ row: { caller } }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  return !caller.priority ? null : <span className={styles.minor}>{texts.callerPriority(caller.priority)}</span>;
}

function Wait({ row: { caller, levels } }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  return (
    <span className={styles.wait}>
      <OnlySaid>{texts.callerWaits}</OnlySaid>
      <Elapsed since={caller.since} levels={levels} />
    </span>
  );
}

function CallerActions({ row: { queue, caller } }: Props) {
  const styles = useStyles2(getStyles);
  const texts = useTexts().panel;
  const actions = useActions();
  const { me, switchboard } = usePanelView();
  if (caller.uniqueid === undefined || !may(me, switchboard, 'move_callers', { queue })) {
    return null;
  }
  const number = caller.caller || texts.unknownNumber;
  const isPending = actions.pendingOf(callerKey(caller)) === 'pending';
  return (
    <span className={styles.buttons}>
      <RowButton
        icon="sort-amount-up"
        label={texts.changePriorityOf(number, queue)}
        isPending={isPending}
        onClick={() => actions.changePriority(queue, caller)}
      />
      <RowButton
        icon="signout"
        label={texts.withdrawFrom(number, queue)}
        isPending={isPending}
        onClick={() => actions.withdraw(queue, caller)}
      />
    </span>
  );
}

function getStyles(theme: GrafanaTheme2) {
  const { colors } = theme;
  return {
    line: css({
      display: 'flex',
      flex: 1,
      alignItems: 'center',
      gap: theme.spacing(1),
      minWidth: 0,
      paddingLeft: theme.spacing(1.5),
    }),
    card: css({ display: 'flex', flex: 1, flexDirection: 'column', minWidth: 0 }),
    position: css({
      position: 'relative',
      flexShrink: 0,
      minWidth: '1.8em',
      padding: theme.spacing(0, 0.5),
      textAlign: 'center',
      color: colors.text.secondary,
      border: `1px solid ${colors.border.medium}`,
      borderRadius: theme.shape.radius.pill,
      fontSize: '0.9em',
      fontVariantNumeric: 'tabular-nums',
    }),
    who: css({ display: 'flex', flex: 1, alignItems: 'center', gap: theme.spacing(1), minWidth: 0 }),
    // The number is what tells one from another: a long name gives way to it
    number: css({ display: 'inline-flex', flexShrink: 0, maxWidth: '100%', fontVariantNumeric: 'tabular-nums' }),
    name: css({ display: 'inline-flex', minWidth: 0, color: colors.text.secondary, fontSize: '0.9em' }),
    minor: css({ flexShrink: 0, color: colors.text.secondary, fontSize: '0.9em' }),
    wait: css({ position: 'relative', display: 'inline-flex', flexShrink: 0 }),
    buttons: css({ display: 'flex', flexShrink: 0, gap: theme.spacing(0.5) }),
  };
}
