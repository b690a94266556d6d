/** Remembers one value per name until something that it was made from changes. */

export type Keep = <T>(name: string, from: readonly unknown[], make: (last: T | null) => T) => T;

export function memory(): Keep {
  const memos = new Map<string, { from: readonly unknown[]; value: unknown }>();
  return <T>(name: string, from: readonly unknown[], make: (last: T | null) => T): T => {
    const last = memos.get(name);
    if (last && allSame(from, last.from)) return last.value as T;
    const value = make(last ? (last.value as T) : null);
    memos.set(name, { from, value });
    return value;
  };
}

const kept = new WeakMap<object, Keep>();

/** What is remembered of an object, by all who ask for it. */
export function memoryOf(owner: object): Keep {
  if (!kept.has(owner)) kept.set(owner, memory());
  return kept.get(owner) as Keep;
}

/** Whether two lists have the same values. */
export function allSame(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a === b) return true;
  return a.length === b.length && Array.from(a).every((part, k) => Object.is(part, b[k]));
}
