import { callerOf, documentOf, memberOf, queueOf } from '../actions/testing';
import type { Queue } from '../api/types';
import { applyMergePatch } from '../live/mergePatch';
import { linesOf, QUEUE_FIGURES, queueRows } from './queues';

const rowOf = (queue: Queue) => queueRows()(documentOf({ queues: { billing: queue } }))[0];

describe('queueRows', () => {
  it('counts an agent once, whichever interfaces he has', () => {
    const queue = queueOf({
      '1001': memberOf({ state: 'unavailable' }),
      'SIP/1001': memberOf({ agent: '1001', state: 'idle' }),
      '1002': memberOf({ state: 'on_call' }),
    });
    expect(rowOf(queue)).toMatchObject({ agents: 2, free: 1 });
  });

  it('tells since when the longest waits, who need not be the first', () => {
    const waiting = [callerOf({ since: 50, priority: 9 }), callerOf({ since: 20, position: 2, uniqueid: 'b' })];
    expect(rowOf(queueOf({}, waiting)).longestSince).toBe(20);
    expect(rowOf(queueOf()).longestSince).toBeNull();
  });

  it('is made anew for the queue that changed, and for no other', () => {
    const rows = queueRows();
    const document = documentOf();
    const before = rows(document);
    const after = rows(applyMergePatch(document, { queues: { sales: { waiting: [callerOf()] } } }));
    expect(after.map((row, at) => row === before[at])).toEqual([true, false, true]);
  });
});

describe('linesOf', () => {
  const waiting = [callerOf({ position: 1, uniqueid: 'a' }), callerOf({ position: 2, uniqueid: 'b' })];
  const rows = queueRows()(documentOf({ queues: { billing: queueOf({}, waiting), sales: queueOf() } }));

  it('has those who wait beneath their queue', () => {
    expect(linesOf(rows, true).map(({ key }) => key)).toEqual([
      'queue billing',
      'caller billing a',
      'caller billing b',
      'queue sales',
    ]);
  });

  it('has queues alone if they are not to be shown', () => {
    expect(linesOf(rows, false).map(({ key }) => key)).toEqual(['queue billing', 'queue sales']);
  });

  it('tells callers apart whose unique id is not to be seen', () => {
    const masked = [1, 2].map((position) => callerOf({ position, since: 7, uniqueid: undefined }));
    const keys = rowOf(queueOf({}, masked)).lines.map(({ key }) => key);
    expect(new Set(keys).size).toBe(3);
  });
});

describe('QUEUE_FIGURES', () => {
  const rows = queueRows()(
    documentOf({
      queues: {
        empty: queueOf(),
        old: queueOf({}, [callerOf({ since: 10 })]),
        young: queueOf({}, [callerOf({ since: 90 })]),
      },
    })
  );

  it('takes a longer wait for more, and none for the least', () => {
    const [empty, old, young] = rows.map(QUEUE_FIGURES.longest_wait!);
    expect(old).toBeGreaterThan(young);
    expect(young).toBeGreaterThan(empty);
  });
});
