// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cardMarks, type Told } from "../src/scene/card.ts";
import { NOT_POINTED } from "../src/scene/drawing.ts";
import type { Mark } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { watchSight } from "../src/shell/card.ts";
import { drawing, type NetworkScene } from "../src/views/network_view/scene.ts";
import { initialize } from "../src/wire/stream.ts";
import type { Store } from "../src/wire/types.ts";
import { traitsOf } from "./blank_page.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";
import { said } from "./said.ts";

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

let life: AbortController;
/** Tells the card how many pixels of a view of 400 are seen, from how far down on. */
let sight: (pixels: number, from?: number) => void;

beforeEach(() => {
  life = new AbortController();
  sessionStorage.clear();
  const nothing = new Proxy({ canvas: {} } as Record<string, unknown>, {
    get: (target, name: string) => target[name] ?? (() => {}),
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(nothing as never);
  class Observer {
    #of: Element[] = [];
    constructor(tell: (entries: unknown[]) => void) {
      sight = (pixels, from = 0) =>
        tell(
          this.#of.map((target) => ({
            target,
            intersectionRect: { height: pixels, top: from },
            boundingClientRect: { height: 400, top: 0 },
          })),
        );
    }
    observe(element: Element) {
      this.#of.push(element);
    }
    unobserve() {}
    disconnect() {}
  }
  vi.stubGlobal("IntersectionObserver", Observer);
});

afterEach(() => {
  life.abort();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

function streamed(training = said("running")) {
  const run = makeRun(RUNS.article);
  const model = new FakeModel({
    ...traitsOf(run),
    status: { state: "live", message: "" },
    training: { ...training, loss: ["loss", "0.5"] },
  });
  return { model, store: initialize({ model: model as never, signal: life.signal }) };
}

function watched(training = said("running"), panel: HTMLElement = document.body) {
  const { model, store } = streamed(training);
  const root = panel.appendChild(document.createElement("div"));
  watchSight(root, store, life.signal);
  const card = () => document.querySelector<HTMLElement>(".kw-card") as HTMLElement;
  const sees = async (pixels: number, from = 0) => {
    sight(pixels, from);
    await painted();
  };
  return { model, card, sees, button: (name: string) => card().querySelector<HTMLElement>(name) };
}

describe("the card of a training", () => {
  it("comes when its view is scrolled out of sight, and goes when that is seen again", async () => {
    const { card, sees } = watched();
    await sees(400);
    expect(card().hidden).toBe(true);
    await sees(20);
    expect(card().hidden).toBe(false);
    expect(card().textContent).toContain("step 0 · training · loss 0.5");
    await sees(300);
    expect(card().hidden).toBe(true);
  });

  it("comes also while only the foot of its view is seen", async () => {
    const { card, sees } = watched();
    await sees(160);
    expect(card().hidden).toBe(true);
    await sees(160, 240);
    expect(card().hidden).toBe(false);
    await sees(250, 150);
    expect(card().hidden).toBe(true);
  });

  it("has its place also where the page's part with the views is narrower than it", async () => {
    const panel = document.body.appendChild(document.createElement("div"));
    panel.style.overflowY = "auto";
    const part = { left: 291, right: 561, top: 0, bottom: 779 };
    vi.spyOn(panel, "getBoundingClientRect").mockReturnValue(part as DOMRect);
    const { card, sees } = watched(said("running"), panel);
    vi.spyOn(card(), "getBoundingClientRect").mockReturnValue({ width: 0 } as DOMRect);
    for (const view of panel.children)
      vi.spyOn(view, "getBoundingClientRect").mockReturnValue({
        height: 400,
        top: -800,
      } as DOMRect);
    await sees(0);
    expect(card().hidden).toBe(false);
    expect(Number.parseFloat(card().style.left)).toBeGreaterThanOrEqual(0);
    expect(Number.parseFloat(card().style.left) + 380).toBeLessThanOrEqual(561);
  });

  it("does not come where nothing trains", async () => {
    const { model, card, sees } = watched(said("finished"));
    await sees(0);
    expect(card().hidden).toBe(true);
    model.set("training", said("paused"));
    await sees(0);
    expect(card().hidden).toBe(false);
  });

  it("stays closed once it was closed", async () => {
    const { card, sees, button } = watched();
    await sees(0);
    button("[aria-label^=Close]")?.click();
    await painted();
    expect(card().hidden).toBe(true);
    await sees(400);
    await sees(0);
    expect(card().hidden).toBe(true);
  });

  it("names the model, and says where its training has diverged", async () => {
    const { model, card, sees } = watched();
    const words = "diverged since step 0";
    const loss = ["loss", "nan"];
    model.set("training", { ...said("running", words), model: "KANCNN", loss, look: "diverged" });
    await sees(0);
    expect(card().textContent).toContain("KANCNN");
    expect(card().textContent).toContain("step 0 · diverged since step 0 · loss NaN");
  });

  it("has the page's theme, and another as soon as the page has", async () => {
    document.body.className = "vscode-dark";
    const { card, sees } = watched();
    await sees(0);
    const ink = () => card().style.getPropertyValue("--kw-ink");
    expect(ink()).toBe(themeOf("dark").colours.ink);
    document.body.className = "vscode-light";
    await painted();
    expect(ink()).toBe(themeOf("light").colours.ink);
    document.body.className = "";
  });

  it("does not lie on a view of another training", async () => {
    const { card, sees } = watched();
    await sees(0);
    expect(card().hidden).toBe(false);
    const shown = card();
    const root = document.body.appendChild(document.createElement("div"));
    watchSight(root, streamed(said("finished")).store, life.signal);
    await sees(400);
    expect(shown.hidden).toBe(true);
    await sees(0);
    expect(shown.hidden).toBe(false);
  });

  it("does not lie on a view of a training that has this module for itself", async () => {
    const { card, sees } = watched();
    await sees(0);
    const shown = card();
    expect(shown.hidden).toBe(false);
    vi.resetModules();
    const other = await import("../src/shell/card.ts");
    const root = document.body.appendChild(document.createElement("div"));
    other.watchSight(root, streamed(said("finished")).store, life.signal);
    sight(400);
    await painted();
    expect(shown.hidden).toBe(true);
  });

  it("stands over the card of another training", async () => {
    // Two cards of no size: a place is taken by where it is.
    const height = vi
      .spyOn(HTMLElement.prototype, "getBoundingClientRect")
      .mockImplementation(function box(this: HTMLElement) {
        const { left, top } = this.style;
        return new DOMRect(Number.parseFloat(left) || 0, Number.parseFloat(top) || 0, 258, 126);
      });
    for (const _ of [0, 1]) await watched().sees(0);
    const tops = [...document.querySelectorAll<HTMLElement>(".kw-card")].map(
      ({ style }) => style.top,
    );
    expect(height).toHaveBeenCalled();
    expect(new Set(tops).size).toBe(2);
  });

  it("holds the training and lets it go on", async () => {
    const { model, sees, button } = watched();
    await sees(0);
    button("[data-icon=pause]")?.click();
    expect(model.sent.at(-1)).toMatchObject({ kind: "pause" });
    model.set("training", said("paused"));
    await new Promise((done) => setTimeout(done, 250));
    await painted();
    button("[data-icon=play]")?.click();
    expect(model.sent.at(-1)).toMatchObject({ kind: "resume" });
  });

  it("covers nothing that is typed", async () => {
    const { card, sees } = watched();
    await sees(0);
    const at = () => [card().style.left, card().style.top];
    const [, bottom] = at();
    const field = document.body.appendChild(document.createElement("textarea"));
    const { innerWidth: width, innerHeight: height } = window;
    vi.spyOn(field, "getBoundingClientRect").mockReturnValue(
      new DOMRect(0, height - 100, width, 100),
    );
    field.focus();
    await painted();
    expect(at()[1]).not.toBe(bottom);
    expect(card().hidden).toBe(false);
    vi.spyOn(field, "getBoundingClientRect").mockReturnValue(new DOMRect(0, 0, width, height));
    await sees(0);
    expect(card().hidden).toBe(true);
  });

  it("leaves nothing behind when its view goes", async () => {
    const { card, sees } = watched();
    await sees(0);
    life.abort();
    expect(card()).toBeNull();
  });
});

describe("what is on the card", () => {
  const textsOf = (marks: readonly Mark[]) =>
    marks.flatMap((mark) => (mark.kind === "text" ? [mark.text] : []));

  const store = () => streamed().store;
  const tells = (of: Store) => {
    const at = { width: 900, height: 500, ratio: 1, pointed: NOT_POINTED, get: () => undefined };
    return drawing()({ store: of, ...at, theme: themeOf("light") }) as NetworkScene;
  };

  it("has a bar for each output, and says of which step they are where that is another", () => {
    const told: Told = tells(store());
    const scores = { raw: [], probabilities: [0.1, 0.6, 0.05, 0.25], best: 1 };
    const flow = { step: 7, values: [], frame: null };
    const later = { ...told, diagram: { ...told.diagram, scores, flow } };
    const texts = textsOf(cardMarks(store(), later, themeOf("light")));
    const bars = ["0", "10.0 %", "1", "60.0 %", "2", "5.0 %", "3", "25.0 %", "at step 7"];
    expect(texts.slice(0, 9)).toEqual(bars);
  });

  it("has a function with axes, the one of the diagram, also where there is no example", () => {
    const known = store();
    const told = tells(known);
    const [title, ...ticks] = textsOf(cardMarks(known, told, themeOf("light")));
    expect(told.shown?.name).toContain(title);
    expect(ticks.length).toBeGreaterThan(3);
  });

  it("has the selected function, as soon as there is one", () => {
    const { store } = streamed();
    store.select({ layer: "conv1", out: 1, in: 0, row: 1, column: 0 });
    const [title] = textsOf(cardMarks(store, tells(store), themeOf("light")));
    expect(title).toBe("conv1 · kernel 1 · row 1, column 0");
  });
});
