import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import { Alert, Button, ConfirmModal, useStyles2 } from '@grafana/ui';
import React, { useEffect, useRef, useState } from 'react';

import { may } from '../access/rights';
import { stateOf } from '../actions/ActionRunner';
import { announcementOf, showToast } from '../actions/announce';
import type { ActionState } from '../actions/actionState';
import { MAX_REASON_BYTES, problemOfText } from '../actions/actionText';
import { Standing } from '../actions/Standing';
import { agentKey, pausableMemberships, pausablePart } from '../actions/subjects';
import { SwitchboardText } from '../actions/SwitchboardText';
import { useActionRunner } from '../actions/useActionRunner';
import { controlApi } from '../api/ControlApi';
import type { Me } from '../api/types';
import { Texts, useTexts } from '../i18n';
import { listed } from '../i18n/isolated';
import type { Live } from '../live/useLive';
import type { Intent } from './deepLink';

/** So long it is told what came of an action. */
const FORGET_MS = 60_000;

interface Props {
  me: Me;
  live: Live;
  /** Id of the agent that I am there. */
  agent: string;
  /** What the link that led here asks for. */
  linked: Intent | null;
}

/** Pauses oneself, and ends it: one confirmation, then what the switchboard says. */
export function MyPause({ me, live, agent, linked }: Props) {
  const { me: texts } = useTexts();
  const memberships = pausableMemberships(me, live.document, agent);
  const isPaused = Array.from(memberships.values()).some((member) => member.paused);
  const onlyIn = listed(pausablePart(me, live.document, agent) ?? []);
  const { state, done, ask } = useOwnAction(live.switchboard, agent, isPaused);
  const [pressed, setPressed] = useState<Intent | null>(null);
  const intent = pressed ?? linked;
  const forget = () => {
    setPressed(null);
    if (linked) {
      locationService.partial({ action: null, reason: null }, true);
    }
  };
  if (!may(me, live.switchboard, 'pause', { agent })) {
    return <Alert severity="info" title={texts.noRight} />;
  }
  const isNowhere = live.document !== null && memberships.size === 0;
  return (
    <section aria-label={texts.pauseHeading}>
      {isNowhere ? (
        <Alert severity="info" title={texts.notInQueue}>
          {texts.notInQueueNext}
        </Alert>
      ) : (
        <Choice
          reasons={me.pause_reasons}
          mayEnd={isPaused || live.document === null}
          isDisabled={state.is === 'pending'}
          onChoose={setPressed}
        />
      )}
      <Standing state={state} done={done} />
      {intent && (
        <Confirmation
          {...{ intent, live, onlyIn }}
          onConfirm={() => {
            forget();
            ask(intent, onlyIn);
          }}
          onDismiss={forget}
        />
      )}
    </section>
  );
}

/** What was asked for one's own agent, and how it stands; told as a message of Grafana's if the page was left. */
function useOwnAction(switchboard: string, agent: string, isPaused: boolean) {
  const { me: texts, actions } = useTexts();
  const { runner, states } = useActionRunner();
  const [asked, setAsked] = useState<{ action: Intent['action']; done: string } | null>(null);
  const isThere = useIsThere();
  const key = agentKey(agent);
  const state = stateOf(states, key);
  useForgetting(state, isPaused, asked?.action ?? null, () => runner.putAway(key));
  const ask = (intent: Intent, onlyIn: string) => {
    const words = askedFor(texts, intent, onlyIn);
    const isAsked = runner.start(
      key,
      () => send(switchboard, agent, intent),
      (settled) => {
        if (!isThere.current) {
          showToast(announcementOf(actions, words, settled));
        }
      }
    );
    if (isAsked) {
      setAsked({ action: intent.action, done: words.done });
    }
  };
  return { state, done: asked?.done, ask };
}

/** Forgets what came of an action after a while, or once the pause is another one than that action made of it. */
function useForgetting(state: ActionState, isPaused: boolean, asked: Intent['action'] | null, forget: () => void) {
  const isSettled = state.is !== 'idle' && state.is !== 'pending';
  const isOwn = state.is !== 'failed' && isPaused === (asked === 'pause');
  const wasPaused = useRef(isPaused);
  const act = useRef(forget);
  useEffect(() => {
    act.current = forget;
  });
  useEffect(() => {
    if (isSettled && wasPaused.current !== isPaused && !isOwn) {
      act.current();
    }
    wasPaused.current = isPaused;
  }, [isSettled, isPaused, isOwn]);
  useEffect(() => {
    if (!isSettled) {
      return;
    }
    const timer = window.setTimeout(() => act.current(), FORGET_MS);
    return () => window.clearTimeout(timer);
  }, [isSettled]);
}

function send(switchboard: string, agent: string, intent: Intent) {
  return intent.action === 'pause'
    ? controlApi().pause(switchboard, agent, { reason: intent.reason })
    : controlApi().unpause(switchboard, agent, {});
}

function askedFor(texts: Texts['me'], intent: Intent, onlyIn: string) {
  return intent.action === 'pause'
    ? { what: texts.confirmPauseTitle, done: texts.donePause(intent.reason, onlyIn) }
    : { what: texts.confirmUnpauseTitle, done: texts.doneUnpause(onlyIn) };
}

interface ConfirmationProps {
  intent: Intent;
  live: Live;
  /** The queues that it is about, if not all of mine. */
  onlyIn: string;
  onConfirm(): void;
  onDismiss(): void;
}

function Confirmation({ intent, live, onlyIn, onConfirm, onDismiss }: ConfirmationProps) {
  const { me: texts, common } = useTexts();
  const isPause = intent.action === 'pause';
  return (
    <ConfirmModal
      isOpen
      title={isPause ? texts.confirmPauseTitle : texts.confirmUnpauseTitle}
      body={
        isPause
          ? texts.confirmPause(intent.reason, live.switchboard, onlyIn)
          : texts.confirmUnpause(live.switchboard, onlyIn)
      }
      description={live.up && !live.stale ? undefined : texts.confirmDown}
      confirmText={isPause ? texts.pause : texts.unpause}
      confirmVariant="primary"
      confirmButtonVariant="primary"
      dismissText={common.cancel}
      onConfirm={onConfirm}
      onDismiss={onDismiss}
    />
  );
}

interface ChoiceProps {
  /** Those that are configured; empty: any text. */
  reasons: string[];
  /** Whether there is, or may be, a pause to end. */
  mayEnd: boolean;
  isDisabled: boolean;
  onChoose(intent: Intent): void;
}

function Choice({ reasons, mayEnd, isDisabled, onChoose }: ChoiceProps) {
  const { me: texts } = useTexts();
  const styles = useStyles2(getStyles);
  const pause = (reason: string) => onChoose({ action: 'pause', reason });
  return (
    <div className={styles.choice}>
      {mayEnd && (
        <Button size="lg" icon="play" fullWidth disabled={isDisabled} onClick={() => onChoose({ action: 'unpause' })}>
          {texts.unpause}
        </Button>
      )}
      {reasons.map((reason) => (
        <Button
          key={reason}
          size="lg"
          icon="pause"
          variant="secondary"
          fullWidth
          disabled={isDisabled}
          onClick={() => pause(reason)}
        >
          {texts.pauseFor(reason)}
        </Button>
      ))}
      {reasons.length === 0 && <FreeReason isDisabled={isDisabled} onPause={pause} />}
    </div>
  );
}

function FreeReason({ isDisabled, onPause }: { isDisabled: boolean; onPause(reason: string): void }) {
  const { me: texts } = useTexts();
  const [typed, setTyped] = useState('');
  const reason = typed.trim();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onPause(reason);
      }}
    >
      <SwitchboardText
        label={texts.reason}
        description={texts.reasonHelp}
        value={typed}
        mostBytes={MAX_REASON_BYTES}
        onChange={setTyped}
      />
      <Button
        type="submit"
        size="lg"
        icon="pause"
        variant="secondary"
        fullWidth
        disabled={isDisabled || problemOfText(reason, MAX_REASON_BYTES) !== null}
      >
        {texts.pause}
      </Button>
    </form>
  );
}

/** Whether the component is still there, for what comes to an end later. */
function useIsThere() {
  const isThere = useRef(true);
  useEffect(() => {
    isThere.current = true;
    return () => {
      isThere.current = false;
    };
  }, []);
  return isThere;
}

const getStyles = (theme: GrafanaTheme2) => ({
  choice: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(min(220px, 100%), 1fr))',
    gap: theme.spacing(1),
    // A long reason takes more than one line
    '& button': { height: 'auto', minHeight: theme.spacing(6), lineHeight: theme.typography.body.lineHeight },
    '& button span': { whiteSpace: 'normal', padding: theme.spacing(0.5, 0) },
  }),
});
