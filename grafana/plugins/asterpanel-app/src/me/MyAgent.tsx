import { Alert } from '@grafana/ui';
import React from 'react';

import { membershipsIn } from '../actions/subjects';
import type { Agent, Me } from '../api/types';
import { AgentStateBadge } from '../components/AgentStateBadge';
import { Elapsed } from '../components/Elapsed';
import { Texts, useTexts } from '../i18n';
import { isolated } from '../i18n/isolated';
import { formatDuration, formatNumber } from '../i18n/format';
import type { Live } from '../live/useLive';
import { ownValue } from '../view/records';
import { Facts } from './Facts';
import { MyQueues } from './MyQueues';
import { Section } from './Section';

interface Props {
  me: Me;
  live: Live;
  /** Id of the agent that I am there. */
  agent: string;
}

/** How one's own agent is: the state, the queues, and today's figures. */
export function MyAgent({ me, live, agent }: Props) {
  const { me: texts } = useTexts();
  const known = live.document && ownValue(live.document.agents, agent);
  const memberships = membershipsIn(live.document, agent);
  return (
    <>
      <Section title={texts.state}>
        {live.document === null && (
          <Alert severity="info" title={texts.noData}>
            {texts.noDataNext}
          </Alert>
        )}
        <Facts
          label={texts.state}
          facts={[...who(texts, live, agent, known), ...(known ? how(texts, me, known) : [])]}
        />
      </Section>
      {live.document && memberships.size > 0 && (
        <MyQueues document={live.document} memberships={memberships} isPausedEverywhere={known?.paused ?? false} />
      )}
      {known && (
        <Section title={texts.today}>
          <Today agent={known} />
        </Section>
      )}
    </>
  );
}

type FactList = React.ComponentProps<typeof Facts>['facts'];

function who(texts: Texts['me'], live: Live, id: string, agent: Agent | null | undefined): FactList {
  return [
    [texts.agent, agent?.name && agent.name !== id ? `${isolated(agent.name)} (${id})` : id],
    [texts.switchboard, live.switchboard],
  ];
}

function how(texts: Texts['me'], { levels }: Me, agent: Agent): FactList {
  const facts: FactList = [
    [texts.state, <AgentStateBadge key="state" state={agent.state} paused={agent.paused} />],
    [texts.since, <Elapsed key="since" since={agent.since} />],
  ];
  if (!agent.paused) {
    return facts;
  }
  facts.push([texts.pauseReason, agent.pause_reason || texts.unnamed]);
  if (agent.paused_since !== undefined) {
    facts.push([texts.pausedFor, <Elapsed key="paused" since={agent.paused_since} levels={levels.agent_pause_s} />]);
  }
  return facts;
}

function Today({ agent: { today } }: { agent: Agent }) {
  const { me: texts } = useTexts();
  if (!today) {
    return <p>{texts.noToday}</p>;
  }
  return (
    <Facts
      label={texts.today}
      facts={[
        [texts.answered, formatNumber(today.answered)],
        [texts.talkTime, formatDuration(today.talk_s)],
        [texts.missed, formatNumber(today.no_answers)],
      ]}
    />
  );
}
