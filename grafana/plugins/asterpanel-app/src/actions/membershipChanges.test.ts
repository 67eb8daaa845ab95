import fc from 'fast-check';

import {
  editableQueues,
  foreignChanges,
  MembershipChange,
  membershipChanges,
  membershipsOf,
  Penalties,
  queuesRequest,
  takenOver,
} from './membershipChanges';
import { documentOf, grantOf, memberOf, meOf, queueOf } from './testing';

const penalties: fc.Arbitrary<Penalties> = fc
  .dictionary(fc.constantFrom('billing', 'sales', 'support', 'night', 'vip'), fc.integer({ min: 0, max: 9 }))
  .map((record) => new Map(Object.entries(record)));

function sorted(map: Penalties): Array<[string, number]> {
  return Array.from(map).sort();
}

function applied(now: Penalties, changes: MembershipChange[]): Map<string, number> {
  const after = new Map(now);
  for (const change of changes) {
    if (change.change === 'leaves') {
      after.delete(change.queue);
    } else {
      after.set(change.queue, change.change === 'joins' ? change.penalty : change.to);
    }
  }
  return after;
}

describe('membershipChanges', () => {
  it('names what somebody would notice', () => {
    const now = new Map([
      ['billing', 0],
      ['support', 0],
    ]);
    const wanted = new Map([
      ['support', 3],
      ['sales', 2],
    ]);
    expect(membershipChanges(now, wanted)).toEqual([
      { queue: 'sales', change: 'joins', penalty: 2 },
      { queue: 'support', change: 'penalty', from: 0, to: 3 },
      { queue: 'billing', change: 'leaves' },
    ]);
  });

  it('applied to what is gives what is wanted', () => {
    fc.assert(
      fc.property(penalties, penalties, (now, wanted) => {
        expect(sorted(applied(now, membershipChanges(now, wanted)))).toEqual(sorted(wanted));
      })
    );
  });

  it('is empty if and only if nothing changes', () => {
    fc.assert(
      fc.property(penalties, penalties, (now, wanted) => {
        const isSame = JSON.stringify(sorted(now)) === JSON.stringify(sorted(wanted));
        expect(membershipChanges(now, wanted).length === 0).toBe(isSame);
      })
    );
  });
});

describe('queuesRequest', () => {
  it('is exactly the wanted queues, and touches nothing but penalties that change', () => {
    fc.assert(
      fc.property(penalties, penalties, (now, wanted) => {
        const { queues, among } = queuesRequest(now, wanted);
        expect(queues.map(({ queue }) => queue).sort()).toEqual(Array.from(wanted.keys()).sort());
        expect(new Set(among)).toEqual(new Set([...now.keys(), ...wanted.keys()]));
        for (const each of queues) {
          const stays = now.get(each.queue) === wanted.get(each.queue);
          expect(each).toEqual(stays ? { queue: each.queue } : { queue: each.queue, penalty: wanted.get(each.queue) });
        }
      })
    );
  });
});

describe('somebody else’s changes', () => {
  it('are those towards something else than what is wanted', () => {
    const base = new Map([['billing', 0]]);
    const wanted = new Map([['sales', 2]]);
    const now = new Map([
      ['sales', 2],
      ['night', 1],
    ]);
    expect(foreignChanges(base, now, wanted)).toEqual(['night']);
  });

  it('are none while the live state is as it was, and none that are one’s own', () => {
    fc.assert(
      fc.property(penalties, penalties, (base, wanted) => {
        expect(foreignChanges(base, base, wanted)).toEqual([]);
        expect(foreignChanges(base, wanted, wanted)).toEqual([]);
      })
    );
  });

  it('taken over are no changes any more, and the rest of the choice stays', () => {
    fc.assert(
      fc.property(penalties, penalties, penalties, (base, now, wanted) => {
        const theirs = foreignChanges(base, now, wanted);
        const merged = takenOver(wanted, now, theirs);
        const changed = membershipChanges(now, merged).map(({ queue }) => queue);
        expect(changed.filter((queue) => theirs.includes(queue))).toEqual([]);
        for (const queue of ['billing', 'sales', 'support', 'night', 'vip'].filter((each) => !theirs.includes(each))) {
          expect(merged.get(queue)).toBe(wanted.get(queue));
        }
      })
    );
  });
});

describe('the queues of an agent', () => {
  const document = documentOf({
    queues: {
      billing: queueOf({ '1001': memberOf(), 'PJSIP/2001': memberOf({ agent: '1001', dynamic: false, penalty: 4 }) }),
      night: queueOf({ '1001': memberOf({ dynamic: false, penalty: 1 }) }),
      vip: queueOf({ '1001': memberOf() }),
      sales: queueOf({ '1002': memberOf() }),
    },
  });

  it('that may be changed are those where the right holds; others in sight are left alone', () => {
    const me = meOf({
      grants: [
        grantOf({ queues: ['billing', 'night', 'sales'], agents: ['10*'] }),
        grantOf({ role: 'viewer', rights: ['see'], queues: ['*'] }),
      ],
    });
    expect(editableQueues(me, document, '1001')).toEqual(['billing', 'night', 'sales']);
    expect(editableQueues(me, document, '2001')).toEqual([]);
  });

  it('are in the order of their names', () => {
    const queues = { 'sales 10': queueOf(), Billing: queueOf(), 'sales 9': queueOf() };
    expect(editableQueues(meOf(), documentOf({ queues }), '1001')).toEqual(['Billing', 'sales 9', 'sales 10']);
  });

  it('are memberships by either of his interfaces, and fixed if one of them is', () => {
    expect(membershipsOf(document, '1001', ['billing', 'night', 'sales'])).toEqual(
      new Map([
        ['billing', { penalty: 0, dynamic: false }],
        ['night', { penalty: 1, dynamic: false }],
      ])
    );
  });

  it('may have any name', () => {
    expect(membershipsOf(document, '1001', ['constructor'])).toEqual(new Map());
  });
});
