// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { themeOf } from "../src/scene/theme.ts";
import type { PanelScene } from "../src/views/training_panel/scene.ts";
import { numbers, standingAt, statusIn } from "../src/views/training_panel/status.ts";
import { type PanelElement, render } from "../src/views/training_panel/view.ts";
import { PATIENCE, SILENT, type Standing } from "../src/wire/standing.ts";
import { initialize } from "../src/wire/stream.ts";
import { curve } from "./drawn_curves.ts";
import { FakeModel } from "./fake_model.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel as StreamModel } from "./page_model.ts";
import { said } from "./said.ts";

const RUNNING = {
  state: "running",
  steered: true,
  control: "running",
  step: 1234,
  epoch: 2,
  epochs: 3,
  done: 300,
  total: 400,
  rate: 84.2,
  mean_rate: 71.3,
  elapsed: "1:15",
  remaining: "1:02:03",
  share: 0.012,
  source: "MNIST",
  every: 5,
  rates: [0.001],
};

const TRAITS = {
  stream: "anywidget:s",
  curves: [],
  marks: [],
  zoom: [],
  scale: "linear",
  smoothing: 30,
  height: 190,
  theme: "light",
  _own: "me",
};

const CURVES = [
  curve("loss", "loss", [0, 50, 100], [3, 2, 1]),
  curve("loss", "val_loss", [0, 50, 100], [6, 5, 4]),
];

interface Sent {
  kind: string;
  id: string;
  [name: string]: unknown;
}

let life: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  life = new AbortController();
  const nothing = new Proxy({} as Record<string, unknown>, {
    get: (target, name: string) => target[name] ?? (() => {}),
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(nothing as never);
  for (const name of ["clientWidth", "offsetWidth"] as const) {
    vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(700);
  }
});

afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  vi.useRealTimers();
  document.body.replaceChildren();
});

/** Until what is asked for is drawn. */
const drawn = () => vi.advanceTimersByTimeAsync(40);

function streamOf(state: string, training: Standing, manager: unknown) {
  const run = makeRun(RUNS.article);
  const model = new StreamModel({
    layouts: [run.layout],
    initial: { layout: 1, step: 0, data: run.frame(0) },
    frame: {},
    selection: {},
    cursor: -1,
    status: { state, message: "" },
    training,
    _own: "me",
  });
  Object.assign(model, { widget_manager: manager });
  return { stream: model, exports: initialize({ model: model as never, signal: life.signal }) };
}

interface Page {
  manager?: unknown;
  /** Of the stream: "saved" in a page without a kernel. */
  stream?: string;
  traits?: Record<string, unknown>;
}

async function show(
  status: Record<string, unknown> = {},
  { manager, stream = "live", traits = {} }: Page = {},
) {
  const model = new FakeModel({ ...TRAITS, ...traits, status: { ...RUNNING, ...status } });
  const el = document.body.appendChild(document.createElement("div"));
  const made = streamOf(stream, said(String(status.state ?? RUNNING.state)), manager);
  const host = { getWidget: async () => made };
  render({ model, el, host, signal: life.signal } as never);
  await drawn();
  const root = el.querySelector(".kw-training-panel") as PanelElement;
  const one = <T extends HTMLElement>(selector: string) => root.querySelector(selector) as T;
  const sent = () => (made.stream.sent as Sent[]).filter(({ id }) => id);
  const last = () => sent().at(-1) as Sent;
  const remarks = () => [...root.querySelectorAll(".kw-remark")].map((part) => part.textContent);
  const state = () => remarks()[0];
  const hear = async (message: Sent, now: Record<string, unknown> = {}, refused = "") => {
    made.stream.receive({ kind: "heard", id: message.id, refused });
    model.update({ status: { ...RUNNING, ...status, ...now } });
    if (now.state) made.stream.set("training", said(String(now.state)));
    await drawn();
  };
  const stand = async (now: Standing) => {
    made.stream.set("training", now);
    await drawn();
  };
  return { model, root, one, sent, last, hear, remarks, state, stand, made };
}

describe("the controls", () => {
  it("each have a title and a name", async () => {
    const { root } = await show({ rates: [0.1, 0.2] });
    const controls = root.querySelectorAll("button, input, select");
    expect(controls.length).toBe(12);
    for (const control of controls) {
      expect(control.getAttribute("title"), control.outerHTML).toBeTruthy();
      // Those that save a picture are named by their words.
      const words = control.matches(".kw-save-button, .kw-button") ? control.textContent : "";
      expect(control.getAttribute("aria-label") || words, control.outerHTML).toBeTruthy();
    }
  });

  it("ask for single steps, several steps and a stop", async () => {
    const { one, last } = await show();
    one("[data-icon=step]").click();
    expect(last()).toMatchObject({ kind: "step", steps: 1 });
    one<HTMLInputElement>(".kw-many input").value = "25";
    one(".kw-words").click();
    expect(last()).toMatchObject({ kind: "step", steps: 25 });
    one("[data-icon=stop]").click();
    expect(last()).toMatchObject({ kind: "stop" });
  });

  it("ask for no number of steps that is none", async () => {
    const { one, sent } = await show();
    for (const value of ["0", "-3", "1.5", ""]) {
      one<HTMLInputElement>(".kw-many input").value = value;
      one(".kw-words").click();
    }
    expect(sent()).toEqual([]);
  });

  it("alternate between pause and resume, however slow the answers are", async () => {
    const { one, sent, hear, state } = await show();
    const hold = one("button");
    for (let k = 0; k < 12; k++) hold.click();
    const asked = sent();
    expect(asked.map(({ kind }) => kind)).toEqual(Array(6).fill(["pause", "resume"]).flat());
    expect(hold.getAttribute("aria-label")).toBe("Pause");
    await hear(asked[0], { control: "paused", state: "paused" });
    expect(hold.getAttribute("aria-label"), "a resume is still to come").toBe("Pause");
    await hear(asked[11], { control: "running", state: "running" });
    expect(hold.getAttribute("aria-label")).toBe("Pause");
    expect(state()).toBe("training");
  });

  it("go by what the kernel has said, also before that is drawn", async () => {
    const { made, one, sent } = await show();
    const hold = one("button");
    hold.click();
    hold.click();
    made.stream.receive({ kind: "heard", id: sent()[1].id, refused: "" });
    await drawn();
    hold.click();
    made.stream.set("training", said("paused"));
    made.stream.receive({ kind: "heard", id: sent()[2].id, refused: "" });
    // Nothing has been drawn since.
    hold.click();
    expect(sent().map(({ kind }) => kind)).toEqual(["pause", "resume", "pause", "resume"]);
  });

  it("resume what is paused", async () => {
    const { one, last } = await show({ state: "paused", control: "paused" });
    expect(one("button").getAttribute("aria-label")).toBe("Resume");
    one("button").click();
    expect(last()).toMatchObject({ kind: "resume" });
  });

  it("have keys, but not where somebody types", async () => {
    const { one, root, sent } = await show();
    const press = (on: HTMLElement, key: string) =>
      on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press(root, "p");
    press(one("[data-icon=step]"), "s");
    expect(sent().map(({ kind }) => kind)).toEqual(["pause", "step"]);
    press(one("input"), "p");
    expect(sent().length).toBe(2);
  });

  it("do nothing for a binding that is closed, and stop nothing that does not run", async () => {
    const closed = await show({ closed: true, state: "closed" });
    const buttons = [
      ...closed.root.querySelectorAll<HTMLButtonElement>(".kw-steer button, .kw-save-button"),
    ];
    // What is shown can be saved all the same.
    const [saving, others] = [true, false].map((wanted) =>
      buttons.filter((button) => button.matches(".kw-save-button") === wanted),
    );
    expect(saving.map((button) => button.disabled)).toEqual([false, false]);
    expect(others.every((button) => button.disabled)).toBe(true);
    const idle = await show({ state: "finished" });
    for (const part of [
      "[data-icon=stop]",
      "[data-icon=step]",
      ".kw-many input",
      ".kw-rate input",
    ]) {
      expect(idle.one<HTMLInputElement>(part).disabled, part).toBe(true);
    }
    expect(idle.one<HTMLButtonElement>("[data-icon=pause]").disabled).toBe(true);
  });

  it("are not there for a recording, which says what it is instead", async () => {
    const { one, root, sent, state } = await show({
      recording: "A recording (run.npz).",
      steered: false,
    });
    expect(one<HTMLElement>(".kw-buttons").hidden).toBe(true);
    expect(one<HTMLInputElement>(".kw-rate input").disabled).toBe(true);
    expect(state()).toBe("training");
    const note = one(".kw-note");
    expect(note.textContent).toBe("A recording (run.npz).");
    expect(note.dataset.tone).toBe("calm");
    for (const key of ["p", "s"]) root.dispatchEvent(new KeyboardEvent("keydown", { key }));
    expect(sent()).toEqual([]);
  });

  it("are there for a recording whose run can be steered", async () => {
    const { one, last } = await show({ recording: "Following run.npz." });
    expect(one<HTMLElement>(".kw-buttons").hidden).toBe(false);
    one<HTMLButtonElement>('[data-icon="pause"]').click();
    expect(last()).toMatchObject({ kind: "pause" });
  });

  it("take no room on a saved page, whatever the run did when it was saved", async () => {
    for (const stream of ["idle", "saved"]) {
      const { root } = await show({ state: "running" }, { stream });
      const idle = root.querySelector(".kw-steer")?.hasAttribute("data-idle");
      expect(idle).toBe(stream === "saved");
    }
  });

  it("say what goes wrong, and offer what can be done about it", async () => {
    const alarm = { id: "loss loss", text: "loss is nan.", more: "Lower it.", button: "Rate ÷ 10" };
    const other = { id: "still fc", text: "fc has not moved.", more: "See why.", button: "" };
    const { model, root, last } = await show({ alarms: [alarm, other] });
    const lines = () => [...root.querySelectorAll<HTMLElement>(".kw-alarm")];
    expect(lines().map(({ textContent }) => textContent)).toEqual([
      "loss is nan. Lower it. Rate ÷ 10",
      "fc has not moved. See why.",
    ]);
    lines()[0].querySelector("button")?.click();
    expect(last()).toMatchObject({ kind: "cure", alarm: "loss loss" });
    const cured = { text: "The rate was lowered.", undo: true };
    model.set("status", { ...RUNNING, alarms: [], cured });
    await drawn();
    expect(lines()).toEqual([]);
    const done = root.querySelector<HTMLElement>(".kw-cured");
    expect(done?.textContent).toBe("The rate was lowered. undo");
    done?.querySelector("button")?.click();
    expect(last()).toMatchObject({ kind: "uncure" });
    model.set("status", { ...RUNNING, steered: false, alarms: [alarm], cured });
    await drawn();
    const hidden = [...root.querySelectorAll<HTMLElement>(".kw-alarms button")];
    expect(hidden.map((each) => each.hidden)).toEqual([true, true]);
    model.set("status", { ...RUNNING });
    await drawn();
    expect(root.querySelector<HTMLElement>(".kw-alarms")?.hidden).toBe(true);
  });

  it("ask nobody for Python who reads a saved page", async () => {
    const alarm = { id: "outside fc", text: "Inputs lie outside.", more: "", call: "Call it." };
    for (const state of ["idle", "saved"]) {
      const { root } = await show({ alarms: [alarm] }, { stream: state });
      const call = root.querySelector<HTMLElement>(".kw-alarm .kw-call");
      expect([call?.textContent, call?.hidden]).toEqual([" Call it.", state === "saved"]);
      expect(root.textContent).toContain("Inputs lie outside.");
    }
  });

  it("say once what one remedy mends, with all that shows it in a title", async () => {
    const alarm = (id: string) => ({
      id,
      text: `${id} explodes.`,
      more: "Too fast.",
      button: "÷ 10",
    });
    const { root } = await show({ alarms: [alarm("convs.0"), alarm("convs.1"), alarm("linear")] });
    const [only, ...more] = root.querySelectorAll<HTMLElement>(".kw-alarm");
    expect(more).toEqual([]);
    expect(only.textContent).toContain("convs.0 explodes. (and 2 more alarms) Too fast.");
    expect(only.title).toMatch(/\nconvs.1 explodes.\nlinear explodes.$/);
    expect(only.querySelectorAll("button")).toHaveLength(1);
  });

  it("begin with when the loss was lost, and say what no training brings back", async () => {
    const alarm = (id: string, text: string, more: string, button: string) => {
      return { id, kind: id.replace(/ \w+$/, ""), text, more, button };
    };
    const { root } = await show({
      alarms: [
        alarm("loss loss", "loss is not a number since step 4.", "Lower it.", "÷ 10"),
        alarm("not finite fc", "fc is not finite since step 30.", "Load a checkpoint.", ""),
      ],
    });
    const [only] = root.querySelectorAll<HTMLElement>(".kw-alarm");
    expect(only.textContent).toBe(
      "loss is not a number since step 4. (and 1 more alarm) Load a checkpoint.",
    );
  });

  it("set the learning rate of all groups, and put back what is none", async () => {
    const { one, last } = await show({ rates: [0.001, 0.01] });
    const field = one<HTMLInputElement>(".kw-rate input");
    expect(field.value).toBe("0.001");
    for (const [typed, value] of [
      ["3e-4", 0.0003],
      ["0,02", 0.02],
    ] as const) {
      field.value = typed;
      field.dispatchEvent(new Event("change"));
      expect(last()).toMatchObject({ kind: "rate", value, group: null });
    }
    for (const typed of ["-1", "fast", ""]) {
      field.value = typed;
      field.dispatchEvent(new Event("change"));
      expect([field.value, last().value]).toEqual(["0.001", 0.02]);
    }
  });

  it("ask for a frame every so many steps", async () => {
    const { one, last } = await show();
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
    const { root, one, remarks } = await show({}, { manager });
    await vi.advanceTimersByTimeAsync(3 * PATIENCE);
    expect(get_model).toHaveBeenCalledWith("me");
    expect(one(".kw-note").textContent).toMatch(/running the cell of this view again connects it/);
    expect(one(".kw-note").dataset.tone).toBe("calm");
    expect(root.querySelector(RED)).toBeNull();
    for (const control of root.querySelectorAll<HTMLInputElement>(".kw-steer :is(button, input)")) {
      expect(control.closest("[hidden]") !== null || control.disabled, control.outerHTML).toBe(
        true,
      );
    }
    expect(remarks()).toContain("step 1,234");
  });

  it("says so when the kernel ends, and takes it back when there is one again", async () => {
    const { manager, set, listeners } = managed(true);
    const { one } = await show({}, { manager });
    await vi.advanceTimersByTimeAsync(0);
    expect(one(".kw-buttons").hidden).toBe(false);
    set(false);
    await drawn();
    expect(one(".kw-buttons").hidden).toBe(true);
    expect(one(".kw-note").textContent).toMatch(/running the cell of this view again connects it/);
    set(true);
    await drawn();
    expect(one(".kw-buttons").hidden).toBe(false);
    life.abort();
    expect(listeners.size).toBe(0);
  });
});

describe("a panel in a saved page", () => {
  it("asks nobody, complains of nothing, and offers what needs nobody", async () => {
    const { root, one, sent } = await show({}, { stream: "saved", traits: { curves: CURVES } });
    await vi.advanceTimersByTimeAsync(3 * PATIENCE);
    expect(sent()).toEqual([]);
    expect(root.querySelector(".kw-note")).toBeNull();
    expect(one(".kw-buttons").hidden).toBe(true);
    expect(one('select[aria-label="smooth"]').closest("[hidden]")).toBeNull();
    expect(one<HTMLSelectElement>('select[aria-label="y axis"]').disabled).toBe(false);
  });
});

describe("the curves", () => {
  const withCurves = (traits: Record<string, unknown> = {}) =>
    show({}, { traits: { curves: CURVES, ...traits } });

  /** Does something with the pointer over a step of the first panel. */
  async function point(root: PanelElement, type: string, step: number) {
    const plot = root.kwView.plot(0) as { x: number; y: number; width: number; height: number };
    const { from, to } = (root.kwView.scene() as PanelScene).layout.steps;
    const clientX = plot.x + (plot.width * (step - from)) / (to - from);
    const clientY = plot.y + plot.height / 2;
    const options = { clientX, clientY, button: 0, bubbles: true };
    root.querySelector("canvas")?.dispatchEvent(new PointerEvent(type, options));
    await drawn();
  }

  const press = async (root: HTMLElement, key: string) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true });
    root.querySelector("canvas")?.dispatchEvent(event);
    await drawn();
  };

  it("have their last values over them, and those at the step under the mouse", async () => {
    const { root } = await withCurves();
    expect(root.kwView.values()).toEqual(["loss 1", "val_loss 4"]);
    await point(root, "pointermove", 50);
    expect(root.kwView.values()).toEqual(["loss 2", "val_loss 5"]);
    await point(root, "pointerleave", 0);
    expect(root.kwView.values()).toEqual(["loss 1", "val_loss 4"]);
  });

  it("are zoomed by a drag, at once and for the kernel", async () => {
    const { root, model } = await withCurves();
    await point(root, "pointerdown", 25);
    await point(root, "pointermove", 50);
    await point(root, "pointerup", 50);
    const [from, to] = model.get("zoom") as number[];
    expect([from, to].map(Math.round)).toEqual([25, 50]);
    expect(model.saves).toBe(1);
    expect(root.kwView.scene()?.layout.steps).toEqual({ from, to });
  });

  it("take a click for no zoom, and show all again on a double click", async () => {
    const { root, model } = await withCurves();
    await point(root, "pointerdown", 25);
    await point(root, "pointerup", 25);
    expect([model.get("zoom"), model.saves]).toEqual([[], 0]);
    model.update({ zoom: [10, 20] });
    await drawn();
    await point(root, "dblclick", 15);
    expect(model.get("zoom")).toEqual([]);
  });

  it("are read by the arrow keys, which say what they come to", async () => {
    const { root, one } = await withCurves();
    await press(root, "ArrowRight");
    expect(one(".kw-spoken").textContent).toBe("step 50, loss 2, val_loss 5");
    await press(root, "Escape");
    expect(root.kwView.values()).toEqual(["loss 1", "val_loss 4"]);
  });

  it("are zoomed by keys, and a zoom goes along with what is read", async () => {
    const { root, model } = await withCurves();
    await press(root, "-");
    expect(model.get("zoom"), "there is no more than all").toEqual([]);
    await press(root, "+");
    expect(model.get("zoom")).toEqual([25, 75]);
    model.update({ zoom: [0, 50] });
    await drawn();
    for (let k = 0; k < 27; k++) await press(root, "ArrowRight");
    expect(model.get("zoom")).toEqual([1, 51]);
    await press(root, "0");
    expect(model.get("zoom")).toEqual([]);
  });

  it("have controls that set the traits", async () => {
    const { root, one, model } = await withCurves();
    const log = one<HTMLSelectElement>('select[aria-label="y axis"]');
    log.value = "log";
    log.dispatchEvent(new Event("change"));
    const select = one<HTMLSelectElement>('select[aria-label="smooth"]');
    select.value = "100";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    expect([model.get("scale"), model.get("smoothing")]).toEqual(["log", 100]);
    const all = root.querySelectorAll<HTMLButtonElement>(".kw-options > button")[0];
    expect(all.hidden).toBe(true);
    model.update({ zoom: [25, 75] });
    await drawn();
    expect(all.hidden).toBe(false);
    all.click();
    expect(model.get("zoom")).toEqual([]);
  });

  it("keep the value logged last where other steps are drawn, whatever it is", async () => {
    const later = [curve("loss", "loss", [0, 1, 9], [3, 2, Number.NaN])];
    const { root } = await withCurves({ curves: later, zoom: [0, 1] });
    expect(root.kwView.values()).toEqual(["loss not a number"]);
  });

  it("are higher in a wider view, and their place is kept before they come", async () => {
    const heights = async (width: number, begins = "") => {
      for (const name of ["clientWidth", "offsetWidth"] as const) {
        vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(width);
      }
      const { model, root } = await show(
        { total: null, step: 3, begins },
        { traits: { height: null } },
      );
      const before = root.kwView.scene()?.height;
      model.update({ curves: [CURVES[0]] });
      await drawn();
      const one = root.kwView.scene()?.height;
      const accuracy = curve("accuracy", "accuracy", [0, 50, 100], [0, 0.5, 1]);
      model.update({ curves: [CURVES[0], accuracy] });
      await drawn();
      return [before, one, root.kwView.scene()?.height];
    };
    expect(await heights(1000)).toEqual([234, 234, 234]);
    expect(await heights(1600)).toEqual([369, 369, 369]);
    // In a page that trains both curves come, here one below the other.
    const [before, , after] = await heights(270, "Press Train");
    expect(before).toBe(after);
  });

  it("say how to have some where there are none, in one line once none are expected", async () => {
    const empty = async (status: object) => {
      const { root } = await show({ ...status, total: null });
      const { height = 0, sheets } = root.kwView.scene() ?? { sheets: [] };
      const marks = sheets[3].marks({ x: 0, y: 0, width: 700, height: 300 });
      const text = marks.map((mark) => (mark.kind === "text" ? mark.text : "")).join("");
      return { height, text };
    };
    const before = await empty({ step: 0 });
    expect(before.text).toContain("live.log(loss=loss)");
    const after = await empty({ step: 1234 });
    expect(after.text).toContain("No loss was logged.");
    expect(after.height).toBeLessThan(40);
    expect(before.height).toBeGreaterThan(190);
    const recorded = await empty({ recording: "Recorded yesterday." });
    expect(recorded.text).toBe("No loss was logged in this run.");
  });
});

describe("clicks that get no answer", () => {
  const deaf = "Python does not answer: clicks take effect when the running cell ends.";

  it("are said to wait for the cell's end, until one comes", async () => {
    const { model, one, sent, hear } = await show();
    one("button").click();
    model.update({ status: { ...RUNNING, step: 1240 } });
    await vi.advanceTimersByTimeAsync(PATIENCE - 1);
    expect(one(".kw-readout").textContent).toBe("");
    await drawn();
    expect(one(".kw-readout").textContent).toBe(deaf);
    await hear(sent()[0], { control: "paused" });
    expect(one(".kw-readout").textContent).toBe("");
  });

  it("of another page of the same run do not count", async () => {
    const { one, hear } = await show();
    one("button").click();
    await hear({ kind: "pause", id: "other:1" });
    await vi.advanceTimersByTimeAsync(PATIENCE + 40);
    expect(one(".kw-readout").textContent).toBe(deaf);
  });
});

describe("what is shown", () => {
  it("are the numbers that are known", async () => {
    const { remarks, root } = await show();
    expect(remarks()).toEqual([
      "training",
      "step 1,234",
      "epoch 2 of 3",
      "84.2 steps/s",
      "training time 1:15",
      "data MNIST",
      "remaining 1:02:03",
    ]);
    const titles = [...root.querySelectorAll<HTMLElement>(".kw-remark")].map(({ title }) => title);
    expect(titles.slice(1).every((title) => title !== "")).toBe(true);
    // The numbers of the stream's frames and its time are other views' matter.
    expect(root.querySelector(".kw-status, .kw-time")).toBeNull();
  });

  it("are those of the whole run once it has ended, and what drawing took where that is much", async () => {
    const { model, remarks } = await show();
    model.update({ status: { ...RUNNING, step: 100, share: 0.13 } }); // the first seconds
    await drawn();
    expect(remarks().join(" ")).not.toContain("drawing");
    model.update({ status: { ...RUNNING, share: 0.13 } });
    await drawn();
    expect(remarks()).toContain("drawing 13 % of the time");
    const before = remarks();
    model.update({ status: { ...RUNNING, share: 0.13, remaining: "" } });
    await drawn();
    expect(remarks()).toEqual(before.slice(0, -1));
    model.update({ status: { ...RUNNING, state: "finished", remaining: "", share: 0.13 } });
    await drawn();
    expect(remarks().slice(3, 5)).toEqual(["training time 1:15", "drawing 13 % of the time"]);
  });

  it("say that it waits between batches, where it was asked to", async () => {
    const { model, remarks } = await show();
    model.update({ status: { ...RUNNING, paced: "0:10" } });
    await drawn();
    expect(remarks()).toContain("training time 1:15 (paced: 0:10 in all)");
  });

  it("begins with the state and its colour", async () => {
    const { model, one, stand } = await show();
    const dot = () => {
      const { className, style } = one(".kw-remark").firstElementChild as HTMLElement;
      return [className.split("swatch-")[1], style.getPropertyValue("--kw-swatch")];
    };
    const { live, ink, warn, ghost } = themeOf("light").colours;
    for (const [state, expected] of [
      ["running", ["dot", live]],
      ["paused", ["dot", ink]],
      ["finished", ["ring", live]],
      ["stopped", ["ring", ink]],
      ["interrupted", ["ring", warn]],
      ["failed", ["dot", warn]],
      ["idle", ["dot", ghost]],
      ["closed", ["ring", ghost]],
      ["fault", ["dot", warn]],
      ["uncounted", ["dot", warn]],
    ] as const) {
      model.update({ status: { ...RUNNING, state } }); // numbers of that moment
      await stand(said(state));
      expect([one(".kw-remark").textContent, dot()]).toEqual([said(state).words, expected]);
    }
    model.update({ status: RUNNING });
    await stand({ ...said("running", "diverged since step 12"), look: "diverged" });
    expect([one(".kw-remark").textContent, dot()]).toEqual([
      "diverged since step 12",
      ["dot", warn],
    ]);
  });

  it("say how to have steps counted that are made by another optimizer, and nothing of their speed", async () => {
    const { stand, remarks } = await show();
    const mend = "live = kw.bind(model, optimizer)";
    await stand(said("uncounted", "200 steps not counted", mend));
    expect(remarks()[0]).toBe(`200 steps not counted: ${mend}`);
    expect(remarks().join(" ")).not.toMatch(/steps\/s|remaining/);
  });

  it("say so where the kernel gives no sign, second by second, until it does again", async () => {
    const { made, remarks, root } = await show();
    const notes = () => root.querySelector(".kw-notes")?.textContent ?? "";
    await vi.advanceTimersByTimeAsync(SILENT - 1000);
    expect(remarks()[0]).toBe("training");
    await vi.advanceTimersByTimeAsync(22_000);
    expect(remarks()[0]).toBe("no sign from Python for 31 s");
    expect(remarks().join(" ")).not.toMatch(/steps\/s|remaining/);
    expect(notes()).toContain("Python has died, is cut off from this page");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(remarks()[0]).toBe("no sign from Python for 2 min");
    made.stream.receive({ kind: "beat" });
    await drawn();
    expect(remarks()[0]).toBe("training");
    expect(remarks()).toContain("84.2 steps/s");
    expect(notes()).not.toContain("Python has died");
  });

  it("miss no sign where none is to be expected", async () => {
    for (const state of ["finished", "failed", "idle"]) {
      const { remarks } = await show({ state });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(remarks()[0]).toBe(said(state).words);
    }
    const { remarks } = await show({}, { stream: "saved" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(remarks()[0]).toBe("saved");
    // What was so in its last seconds says nothing of a run that is over; steps and time say all of it.
    expect(remarks().join(" ")).not.toContain("steps/s");
    expect(remarks()).toContain("training time 1:15");
  });

  it("has a bar as long as what is done, and says how much that is", async () => {
    const { one, root } = await show();
    const bar = one("[role=progressbar]");
    expect([bar.hidden, bar.getAttribute("aria-valuenow")]).toEqual([false, "75"]);
    const marks = root.kwView.scene()?.sheets[0].marks({ x: 0, y: 0, width: 700, height: 300 });
    const [whole, done] = (marks ?? []).map((mark) => mark.kind === "rects" && mark.boxes[2]);
    expect(Number(done) / Number(whole)).toBeCloseTo(0.75);
  });

  it("has no bar where the end is not known", async () => {
    const { one, root } = await show({ total: null });
    expect(one("[role=progressbar]").hidden).toBe(true);
    expect(root.kwView.scene()?.sheets[0].marks({ x: 0, y: 0, width: 1, height: 1 })).toEqual([]);
  });

  it("says the state to those who listen when it changes, and only then", async () => {
    const { model, one, stand } = await show();
    const spoken = one(".kw-spoken");
    expect([spoken.getAttribute("aria-live"), spoken.textContent]).toEqual(["polite", ""]);
    model.update({ status: { ...RUNNING, step: 1235 } });
    await drawn();
    expect(spoken.textContent).toBe("");
    await stand(said("paused"));
    expect(spoken.textContent).toBe("paused");
    expect(one("canvas").getAttribute("aria-label")).toMatch(
      /^Training panel: paused, step 1,235\./,
    );
  });

  it("opens the traceback when there is one, and what was printed", async () => {
    const { model, one, remarks, state, stand } = await show();
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
    await stand(said("failed", "stopped by ValueError: x"));
    expect(one<HTMLDetailsElement>(".kw-traceback").open).toBe(true);
    expect(one(".kw-traceback pre").textContent).toBe("Trace");
    expect(one(".kw-output pre").textContent).toBe("epoch 1");
    // Once: the state has the message in it.
    expect(remarks().filter((remark) => remark?.includes("ValueError"))).toHaveLength(1);
    expect(state()).toBe("stopped by ValueError: x");
    expect(one(".kw-remark").className).toContain("kw-tone-warn");
  });

  it("says what was refused, and what views complain of", async () => {
    const { root, one, hear, last } = await show({ reports: ["a view stopped"] });
    one("[data-icon=step]").click();
    await hear(last(), {}, "not that");
    const notes = [...root.querySelectorAll(".kw-note")].map((note) => note.textContent);
    expect([one(".kw-readout").textContent, ...notes]).toEqual(["not that", "a view stopped"]);
  });

  it("writes nothing anew that has not changed", async () => {
    const { model, root } = await show();
    let changes = 0;
    const watch = new MutationObserver((records) => {
      changes += records.length;
    });
    watch.observe(root, { subtree: true, childList: true, characterData: true });
    model.update({ status: { ...RUNNING } });
    await drawn();
    expect(changes).toBe(0);
    model.update({ status: { ...RUNNING, step: 1235 } });
    await drawn();
    expect(changes).toBeGreaterThan(0);
    watch.disconnect();
  });

  it("leaves nothing behind", async () => {
    const { model } = await show();
    life.abort();
    expect(model.handlers).toBe(0);
  });
});

describe("words", () => {
  it("leave out what is not known", () => {
    expect(
      numbers(
        statusIn(() => ({ step: 3 })),
        "idle",
      ).map(([name]) => name),
    ).toEqual(["step"]);
  });
});

describe("how the run stands beside its numbers", () => {
  const ended: Standing = { state: "stopped", words: "stopped", mend: "", beats: false };
  const gone: Standing = { state: "closed", words: "closed", mend: "", beats: false };
  const at = (state: "running" | "paused" | "stopped") => statusIn(() => ({ state, step: 182 }));

  it("has not ended while the numbers are of a step before its end", () => {
    expect(standingAt(at("running"), ended).words).toBe("training");
    expect(standingAt(at("paused"), ended).words).toBe("paused");
  });

  it("is as it was heard once they are of its end, and where it is gone", () => {
    expect(standingAt(at("stopped"), ended)).toBe(ended);
    expect(standingAt(at("running"), gone)).toBe(gone);
  });
});
