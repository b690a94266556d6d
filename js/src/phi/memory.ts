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

/** A scale of something, by its name: a film, which begins at the newest step, has that of the newest one, unless it goes beyond. */
export function heldScale(
  keep: Keep,
  name: string,
  of: readonly unknown[],
  isFilm: boolean,
  own: number,
): number {
  const held = keep<{ most: number }>(`scale of ${name}`, of, () => ({ most: own }));
  held.most = isFilm ? Math.max(held.most, own) : own;
  return held.most;
}

/** Chooses at a place: the best, or what was chosen there, until the best is clearly and lastingly larger. */
export type Steady = (place: string | number, sizes: Sizes, step: number) => number;
type Sizes = { best: number; sizeOf(one: number): number | undefined };

/** Another one is taken if it is so many times as large: at once, or for so many steps on end; with a smaller lead, of this share at least, after more. */
const RIVAL = { atOnce: 2, times: 1.5, steps: 8, least: 0.2 };

export function steadyChoice(rule = RIVAL): Steady {
  const held = new Map<string | number, { chosen: number; step: number; since: number | null }>();
  let [now, before] = [0, 0];
  return (place, { best, sizeOf }, step) => {
    if (step !== now) [before, now] = [now, step];
    const last = held.get(place);
    // After a step back in time, and where nothing was asked for a while, the choice starts anew.
    if (!last || step < last.step || last.step < Math.min(before, step - rule.steps)) {
      held.set(place, { chosen: best, step, since: null });
      return best;
    }
    const [rival, own] = [sizeOf(best) ?? 0, sizeOf(last.chosen) ?? 0];
    const lead = Math.min(1, (rival / own - 1) / (rule.times - 1));
    const since = lead >= rule.least ? (last.since ?? step) : null;
    const hasLasted = since !== null && (step - since) * lead ** 2 >= rule.steps;
    const isWon = rival > rule.atOnce * own || hasLasted;
    const chosen = isWon ? best : last.chosen;
    held.set(place, { chosen, step, since: isWon ? null : since });
    return chosen;
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
