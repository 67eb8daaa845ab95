import React from 'react';

import { controlApi } from '../api/ControlApi';
import { useTexts } from '../i18n';
import { isolated, listed } from '../i18n/isolated';
import { ActionDialog } from './ActionDialog';
import type { AgentDialogProps } from './dialogProps';
import { agentName, pausableMemberships, pausablePart } from './subjects';

/** Asks once more, then ends the agent's pause. */
export function UnpauseDialog({ agent, me, live, state, onAsk, onClose }: AgentDialogProps) {
  const { actions } = useTexts();
  const { unpause } = actions;
  const name = agentName(live.document, agent);
  const paused = Array.from(pausableMemberships(me, live.document, agent)).filter(([, member]) => member.paused);
  const confirm = () =>
    onAsk(
      { what: unpause.title(name), done: unpause.done(name, listed(pausablePart(me, live.document, agent) ?? [])) },
      () => controlApi().unpause(live.switchboard, agent, {})
    );
  return (
    <ActionDialog
      title={unpause.title(name)}
      confirm={unpause.confirm}
      isDisabled={paused.length === 0}
      enterConfirms
      {...{ live, state, onClose }}
      onConfirm={confirm}
    >
      {paused.length > 0 || state.is === 'pending' ? (
        <>
          <p>{unpause.body(name)}</p>
          <p>
            {unpause.pausedIn}: {paused.map(([queue, member]) => withReason(queue, member.pause_reason)).join(', ')}
          </p>
        </>
      ) : (
        <p>{unpause.notPaused}</p>
      )}
    </ActionDialog>
  );
}

function withReason(queue: string, reason: string): string {
  return reason ? `${isolated(queue)} (${isolated(reason)})` : isolated(queue);
}
