// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mountScrubber } from "../src/shell/scrubber.ts";
import { together } from "../src/shell/timeline.ts";
import { UNKNOWN } from "../src/wire/standing.ts";
import { FrameStore } from "../src/wire/store.ts";
import { said } from "./said.ts";
import { smallFrame, smallLayout } from "./samples.ts";

const layout = smallLayout();
let life: AbortController;

beforeEach(() => {
  life = new AbortController();
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  });
  vi.stubGlobal("requestAnimationFrame", (fn: () => void) => setTimeout(fn, 16));
  vi.stubGlobal("cancelAnimationFrame", (id: number) => clearTimeout(id));
  window.requestAnimationFrame = requestAnimationFrame;
  window.cancelAnimationFrame = cancelAnimationFrame;
});

afterEach(() => {
  life.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

function show(steps: number[], store?: FrameStore) {
  const made = store ?? new FrameStore({ write() {}, send() {} });
  for (const step of steps) made.takeLive(smallFrame(step, layout));
  const scrubber = mountScrubber(document.body, made, life.signal);
  const { element } = scrubber;
  const one = <T extends HTMLElement>(selector: string) => element.querySelector<T>(selector) as T;
  const track = one(".kw-track");
  vi.spyOn(track, "getBoundingClientRect").mockReturnValue({ left: 100, width: 200 } as DOMRect);
  const press = (key: string) =>
    track.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const point = (type: string, clientX: number) =>
    track.dispatchEvent(
      new MouseEvent(type, { clientX, bubbles: true, cancelable: true }) as PointerEvent,
    );
  const tick = (time = 20) => vi.advanceTimersByTime(time);
  return { store: made, scrubber, element, one, track, press, point, tick };
}

const STEPS = [0, 10, 20, 30, 100];

describe("the scrubber", () => {
  it("has a tick at each step that was marked, with its words, among the steps that are kept", () => {
    const { store, element, tick } = show(STEPS);
    const marks = [
      [25, "learning rate 0.1 → 0.01"],
      [400, "later than all that is kept"],
    ];
    store.setState("training", { ...UNKNOWN, marks: marks as [number, string][] });
    tick(400);
    const ticks = [...element.querySelectorAll<HTMLElement>(".kw-tick")];
    expect(ticks.map(({ title }) => title)).toEqual(["step 25: learning rate 0.1 → 0.01"]);
    expect(ticks[0].style.left).toBe("25%");
    store.setState("status", { state: "saved", message: "" });
    expect(store.standing().marks).toEqual(marks);
  });

  it("says that new steps come only where something trains", () => {
    const { store, one, track, tick } = show(STEPS);
    tick();
    expect(one(".kw-newest").title).toContain("each new one as it comes");
    document.body.replaceChildren();
    store.setState("status", { state: "saved", message: "" });
    const saved = show([], store);
    tick();
    expect(saved.one(".kw-newest").title).toBe("The newest step is shown");
    expect(track.getAttribute("aria-valuetext")).toBe("step 100 of 100, newest");
  });

  it("writes a step that comes only when the view has drawn it", () => {
    const { store, one, tick, scrubber } = show(STEPS);
    store.takeLive(smallFrame(110, layout));
    tick(1000);
    expect(one(".kw-time-step").textContent).toBe("step 100");
    scrubber.tell();
    expect(one(".kw-time-step").textContent).toBe("step 110");
  });

  it("keeps its place but shows nothing until two steps are kept", () => {
    const { store, element, tick } = show([0]);
    expect(element.hasAttribute("data-blank")).toBe(true);
    store.takeLive(smallFrame(1, layout));
    tick(300);
    expect(element.hasAttribute("data-blank")).toBe(false);
  });

  it("shows the kept step nearest to the pointer, as long as it is pressed", () => {
    const { store, point } = show(STEPS);
    point("pointermove", 130);
    expect(store.cursor()).toBe(-1);
    point("pointerdown", 124);
    expect(store.cursor()).toBe(10);
    point("pointermove", 152);
    expect(store.cursor()).toBe(30);
    point("pointermove", 900);
    // The end of a run that is over is the newest step, however one came there.
    expect(store.cursor()).toBe(-1);
    point("pointermove", -5);
    expect(store.cursor()).toBe(0);
    point("pointerup", -5);
    point("pointermove", 152);
    expect(store.cursor()).toBe(0);
  });

  it("goes step by step with the arrows, to the ends, and back to live", () => {
    const { store, press } = show(STEPS);
    const reached = (key: string) => {
      press(key);
      return store.cursor();
    };
    expect(reached("ArrowLeft")).toBe(30);
    expect(reached("ArrowLeft")).toBe(20);
    expect(reached("ArrowRight")).toBe(30);
    expect(reached("Home")).toBe(0);
    expect(reached("ArrowLeft")).toBe(0);
    expect(reached("End")).toBe(-1);
    expect(reached("ArrowRight")).toBe(-1);
    expect(reached("PageDown")).toBe(0);
    expect(reached("Escape")).toBe(-1);
  });

  it("shows each new step until it is touched, and again by the button", () => {
    const { store, scrubber, element, one, tick } = show(STEPS);
    const live = one<HTMLButtonElement>(".kw-newest");
    expect([element.hasAttribute("data-newest"), live.disabled]).toEqual([true, true]);
    store.setCursor(20);
    tick();
    expect([element.hasAttribute("data-newest"), live.disabled]).toEqual([false, false]);
    expect(one(".kw-time-step").textContent).toBe("step 20");
    expect(one(".kw-head").style.left).toBe("20%");
    live.click();
    tick();
    scrubber.tell();
    expect(store.cursor()).toBe(-1);
    expect(one(".kw-time-step").textContent).toBe("step 100");
    expect(one(".kw-head").style.left).toBe("100%");
  });

  it("plays from the start through every kept step and stops at the end", () => {
    const { store, one, tick } = show(STEPS);
    const seen: number[] = [];
    store.subscribe((what) => what === "cursor" && seen.push(store.cursor()), life.signal);
    one(".kw-play").click();
    tick(4500);
    expect(seen).toEqual([...STEPS.slice(0, -1), -1]);
    expect(one(".kw-play").getAttribute("aria-label")).toBe("Play the history");
    tick(5000);
    expect(seen).toHaveLength(STEPS.length);
  });

  it("plays a few steps slowly enough to be seen", () => {
    const { store, one, tick } = show(STEPS);
    one(".kw-play").click();
    tick(3500);
    expect(store.cursor()).toBe(30);
  });

  it("holds at the last step of a run that goes on", () => {
    const { store, press } = show(STEPS);
    store.setState("training", said("running"));
    press("End");
    expect(store.cursor()).toBe(100);
  });

  it("plays a long history in about six seconds", () => {
    const { store, one, tick } = show(Array.from({ length: 2000 }, (_, n) => n));
    one(".kw-play").click();
    tick(3000);
    expect(store.cursor()).toBeGreaterThan(900);
    expect(store.cursor()).toBeLessThan(1100);
    tick(3500);
    expect(store.cursor()).toBe(-1);
  });

  it("pauses where it is, and goes on from there", () => {
    const { store, one, press, tick } = show(STEPS);
    one(".kw-play").click();
    tick(300);
    one(".kw-play").click();
    const at = store.cursor();
    tick(3000);
    expect(store.cursor()).toBe(at);
    press(" ");
    tick(1100);
    expect(store.cursor()).toBeGreaterThan(at);
  });

  it("plays one film for all views of a stream: each says so, and can pause it", () => {
    const first = show(STEPS);
    const second = show([], first.store);
    first.tick();
    const titles = () => {
      first.tick();
      return [first, second].map(({ one }) => one(".kw-play").title);
    };
    expect(titles()).toEqual(["Play the history", "Play the history"]);
    first.one(".kw-play").click();
    expect(titles()).toEqual(["Pause", "Pause"]);
    second.one(".kw-play").click();
    expect(titles()).toEqual(["Play the history", "Play the history"]);
    const at = first.store.cursor();
    first.tick(5000);
    expect(first.store.cursor()).toBe(at);
  });

  it("stops playing when another view goes back to live", () => {
    const { store, one, tick } = show(STEPS);
    one(".kw-play").click();
    store.setCursor(-1);
    tick(3000);
    expect(store.cursor()).toBe(-1);
  });

  it("pins the step shown as the ghost, and lets go of it", () => {
    const { store, one, tick } = show(STEPS);
    expect(one(".kw-pinned").hidden).toBe(true);
    store.setCursor(30);
    one(".kw-pin").click();
    tick();
    expect(store.ghostStep()).toBe(30);
    expect([one(".kw-pinned").hidden, one(".kw-pinned").style.left]).toEqual([false, "30%"]);
    store.setCursor(-1);
    one(".kw-pin").click();
    tick();
    expect([store.ghostStep(), one(".kw-pinned").hidden]).toEqual([-1, true]);
  });

  it("is told to a screen reader as a slider", () => {
    const { store, track, tick } = show(STEPS);
    store.setCursor(20);
    tick();
    const said = ["role", "aria-valuemin", "aria-valuemax", "aria-valuenow", "aria-valuetext"];
    expect(said.map((name) => track.getAttribute(name))).toEqual([
      "slider",
      "0",
      "100",
      "20",
      "step 20 of 100",
    ]);
  });

  it("moves with the scrubber of another view of the stream", () => {
    const { store, press } = show(STEPS);
    const other = show([], store);
    press("Home");
    other.tick();
    expect(other.one(".kw-time-step").textContent).toBe("step 0");
  });

  it("leaves nothing behind when its view goes", () => {
    const { store, one, tick } = show(STEPS);
    one(".kw-play").click();
    const at = store.cursor();
    life.abort();
    tick(3000);
    expect(store.cursor()).toBe(at);
    expect(document.querySelector(".kw-scrubber")).toBeNull();
  });

  it("says a step with the keyboard on it only where that was chosen by hand", () => {
    const { store, track, press, tick } = show([0, 10]);
    tick();
    track.focus();
    const said = () => track.getAttribute("aria-valuetext");
    expect(said()).toBe("step 10 of 10, newest");
    for (const step of STEPS.slice(2)) store.takeLive(smallFrame(step, layout));
    tick(1000);
    expect(said()).toBe("step 10 of 10, newest");
    press("ArrowLeft");
    tick();
    expect(said()).toBe("step 30 of 100");
    press("Home");
    press(" ");
    tick(60);
    expect(said()).toBe("step 0 of 100");
    tick(5000);
    expect(said()).toMatch(/^step 100 of 100/);
  });
});

describe("one timeline for several streams", () => {
  const stepsOf = (...kept: number[][]) =>
    together(
      kept.map((steps) => {
        const store = new FrameStore({ write() {}, send() {} });
        for (const step of steps) store.takeLive(smallFrame(step, layout));
        return store;
      }),
    ).steps();

  it("has the steps that all have kept, and those of the longest run beyond the others", () => {
    expect(stepsOf([0, 10, 20, 30, 40, 50, 60, 70], [0, 20, 40, 50])).toEqual([
      0, 20, 40, 50, 60, 70,
    ]);
  });

  it("has all steps where hardly one is kept by all", () => {
    expect(stepsOf([0, 11, 21, 31], [0, 10, 20, 30])).toEqual([0, 10, 11, 20, 21, 30, 31]);
  });
});
