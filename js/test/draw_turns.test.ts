// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import { createTurns } from "../src/shell/draw_turns.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("draws what is out of sight once, when no more news come", () => {
  vi.useFakeTimers();
  let tell = (_: boolean) => {};
  class Observer {
    constructor(heard: (entries: { isIntersecting: boolean }[]) => void) {
      tell = (isIntersecting) => heard([{ isIntersecting }]);
    }
    observe() {}
    disconnect() {}
  }
  vi.stubGlobal("IntersectionObserver", Observer);
  const draw = vi.fn();
  const life = new AbortController();
  const turns = createTurns(document.body, draw, life.signal);
  tell(false);
  for (let frame = 0; frame < 20; frame++) {
    turns.soon();
    vi.advanceTimersByTime(300);
  }
  expect(draw).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2000);
  expect(draw).toHaveBeenCalledTimes(1);
  turns.soon();
  life.abort();
  vi.advanceTimersByTime(5000);
  expect(draw).toHaveBeenCalledTimes(1);
});
