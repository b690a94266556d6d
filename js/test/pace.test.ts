import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createPace } from "../src/shell/pace.ts";

const FRAME = 16;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A page whose drawings take some time. */
function start(took: number) {
  const window = {
    requestAnimationFrame: (fn: () => void) => setTimeout(fn, FRAME),
    cancelAnimationFrame: (id: number) => clearTimeout(id),
  } as unknown as Window;
  const starts: number[] = [];
  const pace = createPace(window, () => {
    starts.push(performance.now());
    vi.advanceTimersByTime(took);
  });
  return { pace, starts, tick: (time: number) => vi.advanceTimersByTime(time) };
}

it("draws once for all that came before the next animation frame", () => {
  const { pace, starts, tick } = start(0);
  pace.soon();
  pace.now();
  pace.soon();
  tick(100);
  expect(starts.length).toBe(1);
});

it.each([
  [40, 2 / 3],
  [25, 2 / 3],
  [10, 10 / (10 + FRAME)],
])(
  "of drawings of %d ms that are asked for again and again leaves a third of the time",
  (took, share) => {
    const { pace, starts, tick } = start(took);
    const begun = performance.now();
    while (performance.now() < begun + 2000) {
      pace.soon();
      tick(1);
    }
    const drawing = (starts.length * took) / (performance.now() - begun);
    expect(drawing).toBeLessThan(share + 0.02);
    expect(drawing).toBeGreaterThan(share - 0.1);
  },
);

it("goes on soon after a drawing in which the computer slept", () => {
  const { pace, starts, tick } = start(600_000);
  pace.soon();
  tick(FRAME);
  pace.soon();
  tick(2000);
  expect(starts.length).toBe(2);
});

it("does not wait where drawing is quick or a person asks", () => {
  const { pace, starts, tick } = start(40);
  pace.now();
  tick(FRAME);
  const ended = performance.now();
  pace.soon();
  pace.now();
  tick(FRAME);
  expect(starts.length).toBe(2);
  expect(starts[1]).toBeLessThanOrEqual(ended + FRAME);
  tick(500);
  expect(starts.length).toBe(2);
});

it("draws nothing after it was stopped", () => {
  const { pace, starts, tick } = start(0);
  pace.now();
  pace.soon();
  pace.stop();
  tick(200);
  expect(starts).toEqual([]);
});

it("views of one page leave a third of its time together", () => {
  const window = {
    requestAnimationFrame: (fn: () => void) => setTimeout(fn, FRAME),
    cancelAnimationFrame: (id: number) => clearTimeout(id),
  } as unknown as Window;
  const drawings = [0, 0, 0];
  const paces = drawings.map((_, k) =>
    createPace(window, () => {
      drawings[k]++;
      vi.advanceTimersByTime(20);
    }),
  );
  const begun = performance.now();
  while (performance.now() < begun + 3000) {
    for (const pace of paces) pace.soon();
    vi.advanceTimersByTime(1);
  }
  const all = drawings.reduce((sum, n) => sum + n, 0);
  expect((all * 20) / 3000).toBeLessThan(0.7);
  expect(Math.min(...drawings)).toBeGreaterThan(all / 4);
});
