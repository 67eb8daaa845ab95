/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

type JsonObject = { [key: string]: Json };

/**
 * The document that a JSON Merge Patch (RFC 7396) makes of another one.
 *
 * The other one stays as it is, and whatever the patch does not mention is the same object in both: who has
 * made something of a part knows by `===` whether it still holds.
 */
export function applyMergePatch<T>(document: T, patch: unknown): T {
  return merged(document as Json, patch as Json) as T;
}

function merged(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) {
    return patch;
  }
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete result[key];
    } else {
      setOwn(result, key, merged(ownValue(result, key), value));
    }
  }
  return result;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A queue may have the name of something that every object inherits, such as `constructor`. */
function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** By assignment, a queue named `__proto__` would become the prototype. */
function setOwn(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
  } else {
    object[key] = value;
  }
}
