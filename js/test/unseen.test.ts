import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createUnseen, PAUSE } from "../src/shell/draw_turns.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A view that has a width from its nth try on. */
function start(nth: number) {
  let tries = 0;
  const unseen = createUnseen(() => {
    if (++tries < nth) unseen.hidden();
    else unseen.shown();
  });
  unseen.hidden();
  return { unseen, tries: () => tries };
}

it("tries again until there is a width, and no longer", () => {
  const { tries } = start(4);
  vi.advanceTimersByTime(60 * PAUSE);
  expect(tries()).toBe(4);
});

it("gives up a view that stays hidden, until it is asked again after it was seen", () => {
  const { unseen, tries } = start(Number.POSITIVE_INFINITY);
  vi.advanceTimersByTime(600 * PAUSE);
  const given = tries();
  expect(given).toBeLessThan(100);
  unseen.hidden();
  vi.advanceTimersByTime(600 * PAUSE);
  expect(tries()).toBe(given);
  unseen.shown();
  unseen.hidden();
  vi.advanceTimersByTime(600 * PAUSE);
  expect(tries()).toBe(2 * given);
});

it("stops at once when the view is gone", () => {
  const { unseen, tries } = start(4);
  unseen.stop();
  vi.advanceTimersByTime(60 * PAUSE);
  expect(tries()).toBe(0);
});
