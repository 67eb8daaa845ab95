/** What the tests of dialogs and pages share: people, live states, and a Grafana that answers as it is told. */
import type { BackendSrvRequest } from '@grafana/runtime';
import { Observable } from 'rxjs';

import type { Agent, Grant, LiveState, Me, Member, Queue, WaitingCaller } from '../api/types';
import type { Live } from '../live/useLive';

const LEVELS = { warning: 60, critical: 120 };

export function grantOf(change: Partial<Grant> = {}): Grant {
  return {
    profile: 'sales',
    display_name: 'Sales',
    role: 'supervisor',
    rights: ['see_own', 'see', 'see_callers', 'pause_self', 'pause', 'edit_members', 'move_callers'],
    switchboards: ['*'],
    queues: ['*'],
    agents: ['*'],
    own: {},
    ...change,
  };
}

export function meOf(change: Partial<Me> = {}): Me {
  return {
    tenant: 'default',
    subject: 'grafana:anna',
    login: 'anna',
    email: 'anna@example.com',
    name: 'Anna Rossi',
    via: 'context',
    roles: ['supervisor'],
    grants: [grantOf()],
    switchboards: [{ name: 'milano', agent: '', rights: ['see'] }],
    pause_reasons: ['Lunch', 'Break'],
    levels: { agent_pause_s: LEVELS, data_age_s: LEVELS },
    service_level_formula: 'offered',
    ...change,
  };
}

/** Somebody who is agent 1001 on these switchboards, and may pause himself. */
export function agentMe(switchboards: string[] = ['milano'], change: Partial<Me> = {}): Me {
  return meOf({
    roles: ['agent'],
    grants: [grantOf({ role: 'agent', rights: ['see_own', 'pause_self'], own: { '*': '1001' } })],
    switchboards: switchboards.map((name) => ({ name, agent: '1001', rights: ['see_own', 'pause_self'] })),
    ...change,
  });
}

export function memberOf(change: Partial<Member> = {}): Member {
  return {
    interface: 'PJSIP/1001',
    state: 'idle',
    penalty: 0,
    paused: false,
    pause_reason: '',
    dynamic: true,
    calls_taken: 3,
    ...change,
  };
}

export function callerOf(change: Partial<WaitingCaller> = {}): WaitingCaller {
  return { position: 1, since: 1000, priority: 0, caller: '…78', uniqueid: '17.1', ...change };
}

export function queueOf(members: Record<string, Member> = {}, waiting: WaitingCaller[] = []): Queue {
  return {
    strategy: 'ringall',
    max_len: 0,
    sl_threshold_s: 20,
    offered: 0,
    waiting,
    in_progress: [],
    members,
    today: { offered: 0, answered: 0, abandoned: 0, short_abandons: 0, within_sl: 0, wait_s: 0, talk_s: 0 },
    levels: { waiting: LEVELS, longest_wait_s: LEVELS, service_level: { warning: 0.8, critical: 0.7 } },
  };
}

export function agentOf(change: Partial<Agent> = {}): Agent {
  return {
    name: 'Anna Rossi',
    state: 'idle',
    since: 1000,
    paused: false,
    pause_reason: '',
    queues: ['billing', 'support'],
    today: { answered: 12, talk_s: 3723, no_answers: 2 },
    ...change,
  };
}

/** Anna (1001) is in billing, which has a waiting caller, and with penalty 3 in support; sales has nobody. */
export function documentOf(change: Partial<LiveState> = {}): LiveState {
  return {
    switchboard: 'milano',
    up: true,
    version: '22.10.1',
    as_of: 1100,
    queues: {
      billing: queueOf({ '1001': memberOf() }, [callerOf()]),
      sales: queueOf(),
      support: queueOf({ '1001': memberOf({ penalty: 3 }) }),
    },
    agents: { '1001': agentOf() },
    ...change,
  };
}

export function liveOf(document: LiveState | null = documentOf(), change: Partial<Live> = {}): Live {
  return {
    switchboard: 'milano',
    status: 'live',
    document,
    stale: false,
    up: true,
    asOf: 1100,
    error: null,
    retry: () => {},
    now: () => 1101,
    ...change,
  };
}

/** A request that came to Grafana, to be answered when the test says so. */
export interface PendingRequest extends Pick<BackendSrvRequest, 'method' | 'url' | 'data'> {
  answer(data: unknown): void;
  refuse(status: number, data?: unknown): void;
}

/** Grafana's client of its own server. It answers by itself what has a standing answer; the rest waits. */
export class FakeBackend {
  readonly requests: PendingRequest[] = [];
  /** By the end of the URL. */
  readonly standing = new Map<string, unknown>();

  readonly fetch = ({ method, url, data }: BackendSrvRequest): Observable<unknown> => {
    const found = Array.from(this.standing).find(([end]) => url.endsWith(end));
    return new Observable((subscriber) => {
      const request: PendingRequest = {
        method,
        url,
        data,
        answer: (body) => {
          subscriber.next({ data: body, status: 200 });
          subscriber.complete();
        },
        refuse: (status, body) => subscriber.error({ status, data: body, config: { url } }),
      };
      if (found) {
        request.answer(found[1]);
      } else {
        this.requests.push(request);
      }
    });
  };

  /** The only request that waits. */
  get only(): PendingRequest {
    expect(this.requests).toHaveLength(1);
    return this.requests[0];
  }
}

/** The body of an error of the control API. */
export function errorBody(id: string, message = 'in English', detail: object = {}): object {
  return { error: { id, message, detail } };
}
