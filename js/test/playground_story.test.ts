// @vitest-environment happy-dom
/** The playground's story: what it says of a network, and the strip that says it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { PageModel } from "../src/page/trained.ts";
import { doubtWords, drawDoubt } from "../src/playground/doubt.ts";
import { makeNetwork } from "../src/playground/network.ts";
import { makeProblem } from "../src/playground/problems.ts";
import { defaultsOf, type State, stateOf } from "../src/playground/state.ts";
import { createStory, storyOf } from "../src/playground/story.ts";
import {
  type Curve,
  correlation,
  createAnswers,
  curvesOf,
  exponential,
  formOf,
  heightOfCurve,
  inY,
  type Present,
  pruned,
  short,
} from "../src/playground/story_steps.ts";
import { Machine } from "../src/training/machine.ts";
import type { Data } from "../src/training/trainer.ts";
import type { News } from "../src/training/worker.ts";
import type { Selection } from "../src/wire/types.ts";

const code = readFileSync(join(import.meta.dirname, "../../kan_widgets/nn/compiled/kernels.wasm"));
const machine = await Machine.from(code);
const images = {
  inputs: new Uint8Array(784 * 200).map((_, k) => (k * 7) % 256),
  targets: new Uint8Array(200).map((_, k) => k % 10),
};
const digits: Data = { train: images, test: images, shift: 1 };
const networkOf = (state: State) => {
  const problem = makeProblem(state, digits, "");
  return { state, problem, network: makeNetwork(state, problem, machine) };
};

const x = Array.from({ length: 81 }, (_, k) => -1 + k / 40);
const curve = (f: (x: number) => number): Curve => ({ x, y: x.map(f) });

describe("facts", () => {
  it("a curve is the sum of a function's terms", () => {
    const { network } = networkOf(stateOf("#problem=moons&start=3"));
    const [layer] = network.layout.layers;
    const curves = curvesOf(layer, network.frame);
    expect(curves.length).toBe(8);
    for (const [f, { x: points, y }] of curves.entries()) {
      expect([points[0], points.at(-1)]).toEqual([-1, 1]);
      // Where no spline bends much: the base term, and coefficients of the bumps that add up to 1.
      const at = layer.offset + f * layer.nb;
      const own = network.frame.subarray(at + 1, at + layer.nb);
      const [low, high] = [Math.min(...own), Math.max(...own)];
      for (const [k, point] of points.entries()) {
        const splines = y[k] - network.frame[at] * (point / (1 + Math.exp(-point)));
        expect(splines).toBeGreaterThan(low - 1e-5);
        expect(splines).toBeLessThan(high + 1e-5);
      }
    }
    expect(heightOfCurve({ x: [0, 1, 2], y: [3, -1, 2] })).toBe(4);
  });

  it("a part of each layer's functions is set to zero: those that vary least, or by chance", () => {
    const { network } = networkOf(defaultsOf("digits", "kancnn"));
    const weak = pruned(network, network.frame, 1 / 3);
    expect(weak.count).toBe(24 + 384 + 768 + 480);
    for (const layer of network.layout.layers) {
      const [before, after] = [network.frame, weak.frame].map((frame) =>
        curvesOf(layer, frame).map(heightOfCurve),
      );
      const gone = before.filter((_, f) => after[f] === 0);
      const left = before.filter((_, f) => after[f] > 0);
      expect(Math.max(...gone)).toBeLessThanOrEqual(Math.min(...left));
      expect(after.filter((height) => height > 0)).toEqual(left);
    }
    const chance = pruned(network, network.frame, 1 / 3, Math.random);
    expect(chance.count).toBe(weak.count);
    expect(chance.frame).not.toEqual(weak.frame);
    expect(pruned(network, network.frame, 0).frame).toEqual(network.frame);
  });

  it("answers are probabilities, one for each image", async () => {
    const { network } = networkOf(defaultsOf("digits", "kancnn"));
    const answer = createAnswers(machine, network);
    const some = Array.from({ length: 120 }, (_, k) => new Float32Array(784).fill(k / 60 - 1));
    const answers = await answer(network.frame, some);
    expect(answers.length).toBe(120);
    for (const { label, share } of answers) {
      expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).toContain(label);
      expect(share).toBeGreaterThan(0.1);
      expect(share).toBeLessThan(1);
    }
    // An image's answer does not depend on those beside it.
    expect(await answer(network.frame, [some[77]])).toEqual([answers[77]]);
  });

  it.each([
    ["x", (v: number) => 3 - 2 * v],
    ["x²", (v: number) => -0.1 * v * v + 5],
    ["x³", (v: number) => v ** 3],
    ["|x|", (v: number) => 4 * Math.abs(v) - 1],
    ["sin πx", (v: number) => -2 * Math.sin(Math.PI * v) + 0.3],
    ["cos πx", (v: number) => Math.cos(Math.PI * v)],
    ["exp x", (v: number) => 2 * Math.exp(v) + 1],
    ["tanh 3x", (v: number) => 1 - Math.tanh(3 * v)],
  ])("%s is found, whatever its factor and constant", (form, f) => {
    expect(formOf(curve(f)).form).toBe(form);
    expect(formOf(curve(f)).explained).toBeCloseTo(1, 10);
  });

  it("a form of x is written in y, and exp stays exp", () => {
    expect(["x", "x²", "|x|", "sin πx", "exp x", "tanh 3x"].map(inY)).toEqual([
      "y",
      "y²",
      "|y|",
      "sin πy",
      "exp y",
      "tanh 3y",
    ]);
  });

  it("an exponential is told from what is none", () => {
    expect(exponential(curve((v) => 3 * Math.exp(-1.7 * v) + 2))).toBeGreaterThan(0.9999);
    expect(exponential(curve((v) => Math.sin(Math.PI * v)))).toBeLessThan(0.8);
    expect(correlation([1, 2, 3], [-2, -4, -6])).toBeCloseTo(-1);
    expect(short(-0.012345)).toBe("−0.012");
  });

  it("the doubt is said as it is", () => {
    const sine = (factor: number) => curve((v) => factor * Math.sin(Math.PI * v));
    const same = [1, -2, 3, 0.5, -1, 1, 2, 4].map(sine);
    const errors = [0.1, 0.2, 0.3, 0.1, 0.1, 0.1, 0.1, 0.4];
    expect(doubtWords(same, errors)).toContain("off by 0.1 to 0.4. All 8 shapes agree");
    const two = [...same.slice(0, 6), curve((v) => v * v), curve((v) => v ** 3 - v / 2)];
    expect(doubtWords(two, errors)).toContain("6 of 8 shapes agree");
    const each = [1, 2, 3, 4, 5, 6, 7, 8].map((k) => curve((v) => Math.cos(k * Math.PI * v)));
    expect(doubtWords(each, errors)).toContain("No shape is shared by most");
  });
});

it("the picture of the doubt says what is drawn, from where to where", () => {
  const canvas = document.createElement("canvas");
  const written: string[] = [];
  let strokes = 0;
  const context = new Proxy<Record<string, unknown>>(
    { fillText: (words: string) => written.push(words), stroke: () => strokes++ },
    { get: (own, name: string) => own[name] ?? (() => {}) },
  );
  canvas.getContext = (() => context) as unknown as HTMLCanvasElement["getContext"];
  drawDoubt(canvas, [curve((v) => 2 * v), curve((v) => -v)]);
  expect(written).toEqual([
    ...["φ(x) of 2 networks", "−1", "x", "1", "−2", "2"],
    ...["scaled and flipped", "−1", "x", "1"],
  ]);
  expect(strokes).toBe(4);
});

it("a bare address begins with the first step, another one closed unless it says so", () => {
  expect(storyOf("")).toBe(1);
  expect(storyOf("#")).toBe(1);
  expect(storyOf("#problem=moons")).toBe(0);
  expect(storyOf("#story=0")).toBe(0);
  expect(storyOf("#problem=moons&story=7")).toBe(7);
  for (const nonsense of ["8", "-1", "1.5", "x", ""])
    expect(storyOf(`#story=${nonsense}`), nonsense).toBe(0);
});

/** A page with a story in it, whose networks come as soon as they are asked for. */
function storyPage() {
  document.body.replaceChildren(document.createElement("main"));
  let state = defaultsOf("digits", "kancnn");
  const steps: number[] = [];
  const sent: { kind: string }[] = [];
  const pages: string[] = [];
  const model = new PageModel({ probe: "usual" }, (content) => {
    sent.push(content as { kind: string });
  });
  const begin = vi.fn(async (next: State) => {
    state = next;
    story.end();
    hear();
  });
  const story = createStory(document.querySelector("main") as HTMLElement, {
    state: () => state,
    begin,
    moved: (step) => steps.push(step),
  });
  let own = networkOf(state);
  function hear(more: Partial<News> = {}) {
    if (own.state !== state) own = networkOf(state);
    const present = { ...own, machine, model, course: {} };
    const turnToNetwork = () => pages.push("network");
    const news = { frame: own.network.frame, step: 0, steps: 504, state: "paused", ...more };
    story.hear({ ...present, turnToNetwork } as unknown as Present, news as News);
  }
  const root = document.querySelector("#kw-story") as HTMLElement;
  const button = (name: string) =>
    [...root.querySelectorAll("button")].find((each) => each.textContent === name) as HTMLElement;
  const said = () => root.querySelector("[aria-live]")?.textContent ?? "";
  const facts = () => root.querySelector(".kw-story-facts") as HTMLElement;
  return { story, hear, begin, button, said, facts, model, sent, steps, pages, root };
}

it("black and white are what batch norm makes of them, and the framed function is read there", async () => {
  const page = storyPage();
  page.hear();
  await page.story.go(1);
  const { network } = networkOf(defaultsOf("digits", "kancnn"));
  const frame = network.frame.slice();
  const behind = network.layout.layers.reduce(
    (all, { shape: [o, i, h, w], nb }) => all + o * i * h * w * nb,
    0,
  );
  expect(network.layout.beside[0].name).toBe("norms.0.running_mean");
  frame.set([-0.74, 0.38], behind);
  expect(page.facts().textContent).toContain("turns black, −1, into");
  page.hear({ frame: frame as News["frame"], step: 60 });
  const told = page.facts().textContent as string;
  expect(told).toContain("the framed function turns black, −0.42, into");
  expect(told).toContain(", and white, 2.8, into");
  const value = Number(told.match(/2\.8, into (\S+)\.$/)?.[1].replace("−", "-"));
  const { out, row, column } = page.model.get("selection") as Selection;
  const [{ x, y }] = [curvesOf(network.layout.layers[0], frame)[9 * out + 3 * row + column]];
  const near = x.findIndex((place) => place > 1.74 / Math.sqrt(0.38));
  const [low, high] = [y[near - 1], y[near]].sort((one, other) => one - other);
  expect(value).toBeGreaterThan(low - 0.006);
  expect(value).toBeLessThan(high + 0.006);
});

describe("the strip", () => {
  it("is closed at first, and goes forth, back and away by its buttons", async () => {
    const page = storyPage();
    const told = page.root.querySelector(".kw-story-told") as HTMLElement;
    expect(told.hidden).toBe(true);
    page.hear();
    page.button("Show me round, in seven steps").click();
    await vi.waitFor(() =>
      expect(page.facts().textContent).toContain("Untrained, the framed function turns"),
    );
    expect(told.hidden).toBe(false);
    expect(page.said()).toContain("1 of 7: What is φ?");
    expect(page.button("Back").matches(":disabled")).toBe(true);
    expect(document.activeElement).toBe(page.button("Next"));
    expect(page.model.get("selection")).toMatchObject({ layer: "convs.0", in: 0 });

    page.button("Next").click();
    expect(page.said()).toContain("2 of 7");
    expect(page.sent).toEqual([{ kind: "resume" }]);
    page.button("Back").click();
    expect(page.said()).toContain("1 of 7");
    page.button("Close").click();
    await vi.waitFor(() => expect(told.hidden).toBe(true));
    expect(page.steps.slice(-4)).toEqual([1, 2, 1, 0]);
    expect(page.begin).not.toHaveBeenCalled();
  });

  it("speaks of the step that is drawn, and while it trains not aloud", async () => {
    const page = storyPage();
    page.hear();
    for (const step of [1, 2, 3]) {
      await page.story.go(step);
      for (let k = 1; k <= 4; k++) {
        page.hear({ step: k, state: "running" });
        expect(page.facts().textContent).toContain(`After ${k} of 504 steps`);
      }
    }
    page.model.set("selection", { layer: "convs.1", out: 0, in: 0, row: 0, column: 0 });
    page.hear({ step: 5, state: "running" });
    expect(page.facts().textContent).toBe("");
    await page.story.go(2);
    page.hear({ step: 40, state: "running" });
    expect(page.facts().getAttribute("aria-live")).toBe("off");
    page.hear({ step: 41, state: "finished" });
    expect(page.facts().textContent).toContain("After 41 of 504 steps");
    expect(page.facts().getAttribute("aria-live")).toBe("polite");
  });

  it("frames the function of the last layer that has moved far, and keeps to it", async () => {
    const page = storyPage();
    page.hear();
    await page.story.go(1);
    await page.story.go(2);
    const before = page.model.get("selection");
    const { network } = networkOf(defaultsOf("digits", "kancnn"));
    const last = network.layout.layers[3];
    /** A frame in which two functions of the last layer have moved: by their base terms. */
    const moved = (one: number, other: number) => {
      const frame = network.frame.slice();
      frame[last.offset + 7 * last.nb] += one;
      frame[last.offset + 150 * last.nb] += other;
      return { frame: frame as News["frame"], state: "running" } as const;
    };
    page.hear({ ...moved(0.01, 0.005), step: 20 });
    expect(page.facts().textContent).toBe(
      "After 20 of 504 steps, no function of the last layer has moved far yet.",
    );
    expect(page.model.get("selection")).toBe(before);
    page.hear({ ...moved(0.3, 0.1), step: 60 });
    const chosen = page.model.get("selection");
    expect(chosen).toMatchObject({ layer: "linear", out: 0, in: 7 });
    // The base term is SiLU: 0.3 of it at 3.
    const most = short((0.3 * 3) / (1 + Math.exp(-3)));
    expect(page.facts().textContent).toContain(
      `After 60 of 504 steps, between −3 and 3 the framed function has moved by up to ${most};`,
    );
    // Another one moves further: the reader goes on to see the first.
    page.hear({ ...moved(0.3, 0.9), step: 90 });
    expect(page.model.get("selection")).toBe(chosen);
    page.model.set("selection", { layer: "convs.0", out: 0, in: 0, row: 0, column: 0 });
    page.hear({ ...moved(0.3, 0.9), step: 91 });
    expect(page.facts().textContent).toContain("between black and white the framed function");
  });

  it("shows what the network never saw, and takes it away again", async () => {
    const page = storyPage();
    page.hear();
    await page.story.go(4);
    expect(page.facts().textContent).toMatch(
      /it gets \d+\.\d % of 200 test digits right, and \d+\.\d %/,
    );
    expect(page.facts().textContent).toContain("hardly learned yet");
    expect(page.model.get("probe")).toMatchObject({ shape: [8, 1, 28, 28], labels: null });
    await page.story.go(0);
    expect(page.model.get("probe")).toBe("usual");
  });

  it("sets the weakest functions to zero, and back", async () => {
    const page = storyPage();
    page.hear();
    await page.story.go(5);
    expect(page.facts().textContent).toMatch(
      /it gets \d+\.\d % of 200 .*, \d+\.\d % without these 1,656 functions, .* random/,
    );
    expect(page.sent.map(({ kind }) => kind)).toEqual(["put"]);
    await page.story.go(4);
    expect(page.sent.at(-1)?.kind).toBe("undo");
    await page.story.go(5);
    page.hear({ step: 3 });
    await page.story.go(0);
    // It has been trained on without them: nothing is undone.
    expect(page.sent.map(({ kind }) => kind).slice(-2)).toEqual(["undo", "put"]);

    // Who goes on at once has nothing set to zero.
    const hasty = storyPage();
    hasty.hear();
    const prune = hasty.story.go(5);
    const close = hasty.story.go(0);
    await Promise.all([prune, close]);
    expect(hasty.sent).toEqual([]);
  });

  it("measures at rest: what it says is of the step that stands there", async () => {
    const page = storyPage();
    const said = (words: string) =>
      vi.waitFor(() => expect(page.facts().textContent).toContain(words), { timeout: 30_000 });
    page.hear({ step: 7, state: "running" });
    await page.story.go(4);
    expect(page.sent).toEqual([{ kind: "pause" }]);
    page.hear({ step: 8, state: "running" });
    expect(page.facts().textContent).toBe("");
    expect(page.said()).not.toContain("Here are");
    page.hear({ step: 9, state: "paused" });
    await said("After 9 of 504 steps");
    expect(page.said()).toContain("Training is paused. Here are");
    page.hear({ step: 504, state: "running" });
    expect(page.said()).toContain("measured while training is paused");
    page.hear({ step: 504, state: "finished" });
    await said("After 504 of 504 steps");
  });

  it("brings the network of a step, and is over where the reader brings another", async () => {
    const page = storyPage();
    page.hear();
    await page.story.go(6);
    expect(page.begin).toHaveBeenCalledOnce();
    expect(page.begin.mock.calls[0][0]).toMatchObject({ problem: "formula", widths: [1] });
    expect(page.said()).toContain("6 of 7: Formula");
    page.hear({ step: 960, steps: 960, state: "finished" });
    expect(page.facts().textContent).toMatch(
      /the function of x is most like .+ \(\d+\.\d % of its variance\)/,
    );
    expect(page.facts().textContent).toContain("These are not the formula’s parts.");
    page.story.end();
    expect(page.steps.at(-1)).toBe(0);
  });
});
