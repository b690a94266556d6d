// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PATIENCE } from "../src/views/training_panel/commands.ts";
import panel from "../src/views/training_panel/index.ts";
import { statusOf } from "../src/views/training_panel/status.ts";
import {
  deafWords,
  duration,
  numbers,
  rateAt,
  rateRange,
  stateWord,
} from "../src/views/training_panel/words.ts";
import { FakeModel } from "./fake_model.ts";

const RUNNING = {
  state: "running",
  control: "running",
  step: 1234,
  epoch: 2,
  epochs: 3,
  done: 300,
  total: 400,
  rate: 84.2,
  elapsed: 75,
  remaining: 3723,
  share: 0.012,
  source: "MNIST",
  every: 5,
  rates: [0.001],
};

interface Sent {
  kind: string;
  id: string;
  [name: string]: unknown;
}

let life: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  life = new AbortController();
});

afterEach(() => {
  life.abort();
  vi.useRealTimers();
  document.body.replaceChildren();
});

function show(status: Record<string, unknown> = {}, manager: unknown = undefined) {
  const model = new FakeModel({ status: { ...RUNNING, ...status }, own: "me", theme: "light" });
  Object.assign(model, { widget_manager: manager });
  const el = document.body.appendChild(document.createElement("div"));
  panel.render({ model, el, signal: life.signal } as never);
  const root = el.querySelector(".kw-training") as HTMLElement;
  const one = <T extends HTMLElement>(selector: string) => root.querySelector(selector) as T;
  const sent = () => model.sent as Sent[];
  const last = () => sent().at(-1) as Sent;
  const hear = (message: Sent, now: Record<string, unknown> = {}, refused = "") =>
    model.message({
      kind: "heard",
      id: message.id,
      refused,
      status: { ...RUNNING, ...status, ...now },
    });
  return { model, root, one, sent, last, hear };
}

describe("the controls", () => {
  it("each have a title and a name", () => {
    const { root } = show({ rates: [0.1, 0.2] });
    const controls = root.querySelectorAll("button, input, select");
    expect(controls.length).toBe(11);
    for (const control of controls) {
      expect(control.getAttribute("title"), control.outerHTML).toBeTruthy();
      // Those that save a picture are named by their words.
      const words = control.matches(".kw-save-button") ? control.textContent : "";
      expect(control.getAttribute("aria-label") || words, control.outerHTML).toBeTruthy();
    }
  });

  it("say hello as soon as they are shown", () => {
    expect(
      show()
        .sent()
        .map(({ kind }) => kind),
    ).toEqual(["hello"]);
  });

  it("ask for single steps, several steps and a stop", () => {
    const { one, last } = show();
    one("[data-icon=step]").click();
    expect(last()).toMatchObject({ kind: "advance", steps: 1 });
    one<HTMLInputElement>(".kw-many input").value = "25";
    one(".kw-words").click();
    expect(last()).toMatchObject({ kind: "advance", steps: 25 });
    one("[data-icon=stop]").click();
    expect(last()).toMatchObject({ kind: "stop" });
  });

  it("ask for no number of steps that is none", () => {
    const { one, sent } = show();
    for (const value of ["0", "-3", "1.5", ""]) {
      one<HTMLInputElement>(".kw-many input").value = value;
      one(".kw-words").click();
    }
    expect(sent().length).toBe(1);
  });

  it("alternate between pause and resume, however slow the answers are", () => {
    const { one, sent, hear } = show();
    const hold = one("button");
    for (let k = 0; k < 12; k++) hold.click();
    const asked = sent().slice(1);
    expect(asked.map(({ kind }) => kind)).toEqual(Array(6).fill(["pause", "resume"]).flat());
    expect(hold.getAttribute("aria-label")).toBe("Pause");
    hear(asked[0], { control: "paused", state: "paused" });
    expect(hold.getAttribute("aria-label"), "a resume is still to come").toBe("Pause");
    hear(asked[11], { control: "running", state: "running" });
    expect(hold.getAttribute("aria-label")).toBe("Pause");
    expect(one(".kw-state").textContent).toBe("running");
  });

  it("resume what is paused", () => {
    const { one, last } = show({ state: "paused", control: "paused" });
    expect(one("button").getAttribute("aria-label")).toBe("Resume");
    one("button").click();
    expect(last()).toMatchObject({ kind: "resume" });
  });

  it("have keys, but not where somebody types", () => {
    const { one, root, sent } = show();
    const press = (on: HTMLElement, key: string) =>
      on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press(root, "p");
    press(one("[data-icon=step]"), "s");
    expect(sent().map(({ kind }) => kind)).toEqual(["hello", "pause", "advance"]);
    press(one("input"), "p");
    expect(sent().length).toBe(3);
  });

  it("do nothing for a binding that is closed, and stop nothing that does not run", () => {
    const closed = show({ closed: true });
    const buttons = [...closed.root.querySelectorAll("button")];
    // What is shown can be saved all the same.
    const [saving, others] = [true, false].map((wanted) =>
      buttons.filter((button) => button.matches(".kw-save-button") === wanted),
    );
    expect(saving.map((button) => button.disabled)).toEqual([false, false]);
    expect(others.every((button) => button.disabled)).toBe(true);
    const idle = show({ state: "finished" });
    expect(idle.one<HTMLButtonElement>("[data-icon=stop]").disabled).toBe(true);
    expect(idle.one<HTMLButtonElement>("[data-icon=pause]").disabled).toBe(false);
  });

  it("are not there for a recording, which says what it is instead", () => {
    const { one, root, sent } = show({ recording: "A recording (run.npz)." });
    expect(one<HTMLElement>(".kw-buttons").hidden).toBe(true);
    expect(one<HTMLInputElement>(".kw-slider").disabled).toBe(true);
    expect(one(".kw-state").textContent).toBe("running");
    const note = one(".kw-note");
    expect(note.textContent).toBe("A recording (run.npz).");
    expect(note.dataset.tone).toBe("calm");
    for (const key of ["p", "s"]) root.dispatchEvent(new KeyboardEvent("keydown", { key }));
    expect(sent().map(({ kind }) => kind)).toEqual(["hello"]);
  });

  it("set the learning rate of one group or of all on a logarithmic slider", () => {
    const { one, last } = show({ rates: [0.001, 0.01] });
    const slider = one<HTMLInputElement>(".kw-slider");
    expect(slider.value).toBe("-3");
    slider.value = "-4";
    slider.dispatchEvent(new Event("change"));
    expect(last()).toMatchObject({ kind: "rate", value: 0.0001, group: null });
    const groups = one<HTMLSelectElement>(".kw-rate select");
    groups.value = "1";
    groups.dispatchEvent(new Event("change"));
    expect(slider.value).toBe("-2");
    const text = one<HTMLInputElement>(".kw-rate-text");
    text.value = "3e-4";
    text.dispatchEvent(new Event("change"));
    expect(last()).toMatchObject({ kind: "rate", value: 0.0003, group: 1 });
  });

  it("ask for a frame every so many steps", () => {
    const { one, last } = show();
    const every = one<HTMLInputElement>('input[aria-label^="draw every"]');
    expect(every.value).toBe("5");
    every.value = "20";
    every.dispatchEvent(new Event("change"));
    expect(last()).toMatchObject({ kind: "every", value: 20 });
  });
});

describe("a panel without a kernel behind it", () => {
  function managed(live: boolean) {
    const listeners = new Set<() => void>();
    const own = {
      comm_live: live,
      on: (_: string, listener: () => void) => listeners.add(listener),
      off: (_: string, listener: () => void) => listeners.delete(listener),
    };
    const set = (now: boolean) => {
      own.comm_live = now;
      for (const listener of listeners) listener();
    };
    const get_model = vi.fn(async () => own);
    return { manager: { get_model }, get_model, listeners, set };
  }
  const RED = '.kw-note[data-tone="warn"]';

  it("has no controls, says why, and complains of nothing", async () => {
    const { manager, get_model } = managed(false);
    const { root, one } = show({}, manager);
    await vi.advanceTimersByTimeAsync(3 * PATIENCE);
    expect(get_model).toHaveBeenCalledWith("me");
    expect(one(".kw-note").textContent).toMatch(/no kernel behind this panel/);
    expect(one(".kw-note").dataset.tone).toBe("calm");
    expect(root.querySelector(RED)).toBeNull();
    for (const control of root.querySelectorAll<HTMLInputElement>("button.kw-button, input")) {
      expect(control.closest("[hidden]") !== null || control.disabled, control.outerHTML).toBe(
        true,
      );
    }
    expect(one(".kw-fact[data-name=step] dd").textContent).toBe("1,234");
  });

  it("says so when the kernel ends, and takes it back when there is one again", async () => {
    const { manager, set, listeners } = managed(true);
    const { one } = show({}, manager);
    await vi.advanceTimersByTimeAsync(0);
    expect(one(".kw-buttons").hidden).toBe(false);
    set(false);
    expect(one(".kw-buttons").hidden).toBe(true);
    expect(one(".kw-note").textContent).toMatch(/no kernel/);
    set(true);
    expect(one(".kw-buttons").hidden).toBe(false);
    life.abort();
    expect(listeners.size).toBe(0);
  });
});

describe("clicks that get no answer", () => {
  it("are said to wait for the cell's end while the training goes on", () => {
    const { model, one, sent, hear } = show();
    hear(sent()[0]);
    one("button").click();
    model.update({ status: { ...RUNNING, step: 1240 } });
    vi.advanceTimersByTime(PATIENCE - 1);
    expect(one(".kw-notes").hidden).toBe(true);
    vi.advanceTimersByTime(1);
    expect(one(".kw-note").textContent).toBe(
      "Clicks reach the training only when the cell ends. Waiting: pause.",
    );
    hear(sent()[1], { control: "paused" });
    expect(one(".kw-notes").hidden).toBe(true);
  });

  it("are said to wait for the kernel where nothing comes at all", () => {
    const { one } = show();
    vi.advanceTimersByTime(PATIENCE);
    expect(one(".kw-note").textContent).toContain("The kernel does not answer");
  });

  it("of another page of the same widget do not count", () => {
    const { one, hear } = show();
    hear({ kind: "hello", id: "other:1" });
    vi.advanceTimersByTime(PATIENCE);
    expect(one(".kw-notes").hidden).toBe(false);
  });
});

describe("what is shown", () => {
  it("are the numbers that are known", () => {
    const { root, one } = show();
    const facts = [...root.querySelectorAll(".kw-fact")].map((fact) =>
      [...fact.children].map((part) => part.textContent),
    );
    expect(facts).toEqual([
      ["step", "1,234"],
      ["epoch", "2 of 3"],
      ["steps/s", "84.2"],
      ["elapsed", "1:15"],
      ["remaining", "1:02:03"],
      ["watching", "1.2 %"],
      ["data", "MNIST"],
    ]);
    expect(one(".kw-bar").getAttribute("aria-valuenow")).toBe("75");
    expect(one(".kw-done").style.width).toBe("75%");
  });

  it("has no bar where the end is not known", () => {
    expect(show({ total: null }).one(".kw-bar").hidden).toBe(true);
  });

  it("opens the traceback when there is one, and what was printed", () => {
    const { model, one } = show();
    expect(one(".kw-traceback").hidden).toBe(true);
    model.update({
      status: {
        ...RUNNING,
        state: "failed",
        message: "ValueError: x",
        traceback: "Trace",
        output: "epoch 1",
      },
    });
    expect(one<HTMLDetailsElement>(".kw-traceback").open).toBe(true);
    expect(one(".kw-traceback pre").textContent).toBe("Trace");
    expect(one(".kw-output pre").textContent).toBe("epoch 1");
    expect(one(".kw-note").textContent).toBe("ValueError: x");
    expect(one(".kw-status").dataset.state).toBe("failed");
  });

  it("says what was refused, and what views complain of", () => {
    const { root, one, hear, last } = show({ reports: ["a view stopped"] });
    one("[data-icon=step]").click();
    hear(last(), {}, "not that");
    const notes = [...root.querySelectorAll(".kw-note")].map((note) => note.textContent);
    expect(notes).toEqual(["not that", "a view stopped"]);
  });

  it("writes nothing anew that has not changed", async () => {
    const { model, root } = show();
    let changes = 0;
    const watch = new MutationObserver((records) => {
      changes += records.length;
    });
    watch.observe(root, { subtree: true, childList: true, characterData: true });
    model.update({ status: { ...RUNNING } });
    await vi.advanceTimersByTimeAsync(10);
    expect(changes).toBe(0);
    model.update({ status: { ...RUNNING, step: 1235 } });
    await vi.advanceTimersByTimeAsync(10);
    expect(changes).toBeGreaterThan(0);
    watch.disconnect();
  });

  it("leaves nothing behind", () => {
    const { model } = show();
    life.abort();
    expect(model.handlers).toBe(0);
  });
});

describe("words", () => {
  it("give times", () => {
    expect([0, 7.4, 59.6, 3599.7].map(duration)).toEqual(["0:00", "0:07", "1:00", "1:00:00"]);
  });

  it("leave out what is not known", () => {
    expect(numbers(statusOf({ step: 3 })).map(([name]) => name)).toEqual(["step"]);
  });

  it("name the state", () => {
    expect(stateWord(statusOf({ state: "running", control: "stopping" }))).toBe("stopping");
    expect(stateWord(statusOf({ state: "idle", closed: true }))).toBe("closed");
    expect(stateWord(statusOf({ closed: true, fault: "x" }))).toBe("not watched any more");
  });

  it("list what waits", () => {
    expect(deafWords(true, ["pause", "stop"])).toMatch(/Waiting: pause, stop\.$/);
  });

  it("hold any learning rate on the slider", () => {
    for (const rate of [1e-9, 1e-6, 0.001, 1, 30]) {
      const [low, high] = rateRange(rate);
      expect(10 ** low).toBeLessThanOrEqual(rate * 1.0001);
      expect(10 ** high).toBeGreaterThanOrEqual(rate * 0.9999);
    }
    expect(rateAt(-3.5)).toBe(0.000316);
  });
});
