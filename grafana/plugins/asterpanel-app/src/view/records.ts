/** The value of a key that may have any name, such as `constructor`; undefined if the record has none itself. */
export function ownValue<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
