import fc from 'fast-check';

import { applyMergePatch, Json } from './mergePatch';

type JsonObject = { [key: string]: Json };

const keys = fc.oneof(fc.constantFrom('a', 'b', 'agents', '__proto__', 'constructor', 'toString', ''), fc.string());

/** JSON without null in objects, as no document of the control API has it. */
const documents = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  object: fc
    .array(fc.tuple(keys, tie('value')), { maxLength: 6 })
    .map((entries) => JSON.parse(JSON.stringify(fromEntries(entries)))),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(fc.boolean(), fc.integer(), fc.string()),
    fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 3 }),
    tie('object')
  ),
}));

function fromEntries(entries: Array<[string, Json]>): JsonObject {
  return Object.fromEntries(entries);
}

/** A patch from one document to another, as the server makes it (RFC 7396). */
function difference(before: JsonObject, after: JsonObject): JsonObject {
  const entries: Array<[string, Json]> = [];
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) {
      entries.push([key, null]);
    }
  }
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (JSON.stringify(old) !== JSON.stringify(value)) {
      entries.push([key, isObject(old) && isObject(value) ? difference(old, value) : value]);
    }
  }
  return fromEntries(entries);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

describe('applyMergePatch', () => {
  // RFC 7396, appendix A
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (document, patch, expected) => {
    expect(applyMergePatch<Json>(document as Json, patch)).toEqual(expected);
  });

  it('makes the next snapshot of the one before', () => {
    fc.assert(
      fc.property(documents.object, documents.object, (before, after) => {
        const patch = JSON.parse(JSON.stringify(difference(before, after)));
        expect(sorted(applyMergePatch(before, patch))).toBe(sorted(after));
      }),
      { numRuns: 1000 }
    );
  });

  it('leaves the document before as it is', () => {
    fc.assert(
      fc.property(documents.object, documents.object, (before, after) => {
        const text = JSON.stringify(before);
        applyMergePatch(before, difference(before, after));
        expect(JSON.stringify(before)).toBe(text);
      })
    );
  });

  it('keeps what the patch does not mention as the same object', () => {
    const before = { agents: { '1001': { state: 'idle' }, '1002': { state: 'idle' } }, queues: { billing: {} } };
    const after = applyMergePatch(before, { agents: { '1001': { state: 'paused' } } });
    expect(after.agents['1001']).toEqual({ state: 'paused' });
    expect(after.agents['1002']).toBe(before.agents['1002']);
    expect(after.queues).toBe(before.queues);
  });

  it('takes a queue by the name of __proto__ for a queue', () => {
    const patch = JSON.parse('{"queues": {"__proto__": {"waiting": []}, "constructor": {"waiting": []}}}');
    const after: { queues: object } = applyMergePatch({ queues: {} }, patch);
    expect(Object.keys(after.queues)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(after.queues)).toBe(Object.prototype);
  });
});

/** As text in which the order of keys does not matter. */
function sorted(value: Json): string {
  if (Array.isArray(value)) {
    return `[${value.map(sorted).join(',')}]`;
  }
  if (isObject(value)) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${sorted(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
