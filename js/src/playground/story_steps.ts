/** The seven steps of the story; each says what is so in the network at hand: its curves, what it gets right, which formula a curve is like. */

import type { Course, PageModel } from "../page/trained.ts";
import { functionOf } from "../phi/entries.ts";
import { curveAt } from "../phi/interpolate.ts";
import { type Machine, Random } from "../training/machine.ts";
import type { News } from "../training/worker.ts";
import { float32, product } from "../wire/protocol.ts";
import type { Selection } from "../wire/types.ts";
import { bytesOf, evaluator, type Made, type WireLayer } from "./network.ts";
import { momentsOf, type Problem } from "./problems.ts";
import { defaultsOf, type State } from "./state.ts";

/** How many networks are trained from other seeds. */
export const SEEDS = 8;

/** A network in the page. */
export interface Present {
  state: State;
  problem: Problem;
  network: Made;
  machine: Machine;
  course: Course;
  /** The stream's model: by it functions are selected, and the training is steered. */
  model: PageModel;
  /** Turns the views' page to the whole network. */
  turnToNetwork(): void;
}

export interface Known extends Present {
  news: News;
  frame: Float32Array;
}

interface Step {
  title: string;
  /** True whatever comes out. */
  words: string;
  /** Its problem and network; the digits where there is none. */
  state?: State;
  /** It is measured with the training paused, and anew at its next pause. */
  atRest?: boolean;
  /** Sets it up at the reader's arrival, and says what comes out where nothing follows. */
  arrive?(present: Known, visit: AbortSignal): string | Promise<string> | undefined;
  /** What comes out, then and while it trains. */
  follow?(present: Known): string;
  /** Puts back what was changed. */
  leave?(present: Known): void;
}

export const DIGITS = defaultsOf("digits", "kancnn");
const FORMULA: State = { ...defaultsOf("formula", "dense"), widths: [1], noise: 0 };
/** Pixels by which test digits are pushed; the share of functions that goes. */
const PUSHED = 4;
const PRUNED = 1 / 3;
const SIDE = 28;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A black and a white pixel, as the first batch norm hands them on. */
function normalised({ network: { layout }, frame }: Pick<Known, "network" | "frame">) {
  const behind = layout.layers.reduce((all, { shape, nb }) => all + product(shape) * nb, 0);
  const [mean, variance] = frame.subarray(behind);
  const [black, white] = [-1, 1].map((pixel) => (pixel - mean) / Math.sqrt(variance + 1e-5));
  return [black, white] as const;
}

/** The first layer's function that varies most from black to white. */
function widest(present: Known): number {
  const [layer] = present.network.layout.layers;
  const heights = curvesOf(layer, present.frame, normalised(present)).map(heightOfCurve);
  return heights.indexOf(Math.max(...heights));
}

function select({ network, model }: Known, f: number, layer = network.layout.layers[0]): void {
  const { name, shape } = layer;
  const [, inputs, height, width] = shape;
  const [column, row] = [f % width, Math.floor(f / width) % height];
  const channel = Math.floor(f / width / height) % inputs;
  const out = Math.floor(f / width / height / inputs);
  model.set("selection", { layer: name, out, in: channel, row, column, looks: true });
}

/** Rounded down: all of it is explained by no curve. */
const explained = (share: number) => `${(Math.floor(1000 * share) / 10).toFixed(1)} %`;

/** The framed function as it is and as it began: of the first layer from black to white, of others over its grid. */
function framed(present: Known) {
  const { network, frame, model } = present;
  const { layers } = network.layout;
  const selection = model.get("selection") as Selection;
  const layer = layers.find(({ name }) => name === selection?.layer);
  if (!layer) return null;
  const f = functionOf(layer, selection);
  const isFirst = layer === layers[0];
  const ends = isFirst ? normalised(present) : (layer.domain as [number, number]);
  const [now, first] = [frame, network.frame].map((each) => readerOf(layer, each, ends)(f));
  return { now, first, ends, isFirst, whole: readerOf(layer, frame)(f) };
}

/** What it makes of black and of white. */
function whatItMakes(present: Known): string {
  const found = framed(present);
  if (!found?.isFirst) return "";
  const [black, white] = found.ends.map(
    (pixel) => `${short(pixel)}, into ${short(curveAt(found.whole.x, found.whole.y, pixel))}`,
  );
  return `${stepWords(present)}, the framed function turns black, ${black}, and white, ${white}.`;
}

const stepWords = ({ news: { step, steps } }: Known) =>
  step > 0
    ? `After ${step.toLocaleString("en")} of ${steps.toLocaleString("en")} steps`
    : "Untrained";

/** The test digits as the network takes them, pushed up and to the left. */
function digitsOf({ problem }: Known, pushed: number): Float32Array[] {
  const { inputs } = problem.data.test;
  return Array.from({ length: problem.data.test.targets.length }, (_, n) => {
    const image = new Float32Array(SIDE * SIDE).fill(-1);
    for (let row = pushed; row < SIDE; row++)
      for (let column = pushed; column < SIDE; column++)
        image[(row - pushed) * SIDE + column - pushed] =
          inputs[(n * SIDE + row) * SIDE + column] / 127.5 - 1;
    return image;
  });
}

const shareRight = ({ problem }: Known, answers: readonly { label: number }[]) =>
  answers.filter(({ label }, k) => label === problem.data.test.targets[k]).length / answers.length;

/** How far a curve has moved at most; the share of the tallest one's height from which that is seen at once. */
const movedBy = (now: Curve, first: Curve) =>
  Math.max(...now.y.map((value, k) => Math.abs(value - first.y[k])));
const FAR = 0.25;

/** The selection with which the reader comes to see functions grow: another one is the one that has grown, or theirs. */
let cameWith: unknown;

/** The examples of the page, while others are shown; the step at which functions are zero for a while. */
let usualProbe: unknown;
let prunedAt = -1;

export const STORY: Step[] = [
  {
    title: "What is φ?",
    words:
      "Each link carries a function φ: a number goes in, another comes out. The one framed in violet is larger below. Pixels are normalised first.",
    arrive(present) {
      select(present, widest(present));
    },
    follow: whatItMakes,
  },
  {
    title: "Watch it grow",
    words:
      "Now it trains on handwritten digits, and each step changes every function a little. Where one has moved far from its start, the change is shaded.",
    arrive({ model }) {
      cameWith = model.get("selection");
      model.send({ kind: "resume" });
    },
    follow(present) {
      const { news, model, network, frame } = present;
      if (news.step === 0) return "";
      if (model.get("selection") === cameWith) {
        const layer = network.layout.layers.at(-1) as WireLayer;
        const [all, start] = [frame, network.frame].map((each) => curvesOf(layer, each));
        const far = all.map((curve, f) => movedBy(curve, start[f]));
        const most = Math.max(...far);
        if (most < FAR * Math.max(...all.map(heightOfCurve)))
          return `${stepWords(present)}, no function of the last layer has moved far yet.`;
        select(present, far.indexOf(most), layer);
      }
      const found = framed(present);
      if (!found) return "";
      const { now, first, ends, isFirst } = found;
      const where = isFirst ? "black and white" : ends.map(short).join(" and ");
      return `${stepWords(present)}, between ${where} the framed function has moved by up to ${short(movedBy(now, first))}; from lowest to highest it spans ${short(heightOfCurve(now))}, at the start ${short(heightOfCurve(first))}.`;
    },
  },
  {
    title: "What a kernel sees",
    words:
      "A kernel is nine functions, one for each pixel of a 3 × 3 window. It slides over the image, and the sum of the nine is one pixel of a map, as below.",
    arrive(present) {
      select(present, 9 * Math.floor(widest(present) / 9) + 4);
    },
    leave({ model }) {
      model.set("selection", null);
    },
    follow: whatItMakes,
  },
  {
    title: "What it never saw",
    words:
      "Training is paused. Here are an empty image, and digits moved four pixels up and to the left. It was trained on nothing like them.",
    atRest: true,
    async arrive(present) {
      const { frame, model, problem, machine, network } = present;
      const [digits, pushed] = [digitsOf(present, 0), digitsOf(present, PUSHED)];
      const blank = new Float32Array(SIDE * SIDE).fill(-1);
      usualProbe ??= model.get("probe");
      const shown = [blank, ...pushed.slice(0, 7)];
      const inputs = Float32Array.from(shown.flatMap((image) => [...image]));
      const shape = [shown.length, 1, SIDE, SIDE];
      model.set("probe", { shape, inputs: bytesOf(inputs), labels: null });
      const answer = createAnswers(machine, network);
      const right = shareRight(present, await answer(frame, digits));
      const rightPushed = shareRight(present, await answer(frame, pushed));
      const [empty] = await answer(frame, [blank]);
      const sentence = `${stepWords(present)}, it gets ${percent(right)} of ${digits.length.toLocaleString("en")} test digits right, and ${percent(rightPushed)} when they are moved. It calls the empty image a ${problem.outputs[empty.label]} (${percent(empty.share)}).`;
      if (right < 0.5) return `${sentence} It has hardly learned yet: train it longer.`;
      return `${sentence} Where a digit stands ${right - rightPushed > 0.1 ? "matters a lot" : "hardly matters"} to it.`;
    },
    leave({ model }) {
      if (usualProbe) model.set("probe", usualProbe);
      usualProbe = undefined;
    },
  },
  {
    title: "Prune",
    words:
      "Training is paused. In each layer, the third of the functions that vary least are set to zero. The score above is of what is left; Next puts them back.",
    atRest: true,
    async arrive(present, visit) {
      const { model, machine, network, frame } = present;
      const random = new Random(1);
      const weak = pruned(network, frame, PRUNED);
      const others = pruned(network, frame, PRUNED, () => random.uniform()).frame;
      const answer = createAnswers(machine, network);
      const digits = digitsOf(present, 0);
      const all: number[] = [];
      for (const one of [frame, weak.frame, others])
        all.push(shareRight(present, await answer(one, digits)));
      const [before, after, chance] = all;
      if (visit.aborted) return "";
      model.send({ kind: "put", coefficients: weak.frame });
      prunedAt = present.news.step;
      const sentence = `${stepWords(present)}, it gets ${percent(before)} of ${digits.length.toLocaleString("en")} test digits right, ${percent(after)} without these ${weak.count.toLocaleString("en")} functions, and ${percent(chance)} without as many chosen at random.`;
      return before < 0.5 ? `${sentence} It has hardly learned yet: train it longer.` : sentence;
    },
    leave({ model, news }) {
      // Where it has been trained on without them, there is nothing to go back to.
      if (news.step === prunedAt) model.send({ kind: "undo" });
      prunedAt = -1;
    },
  },
  {
    title: "Formula",
    words:
      "Another network learns exp(sin πx + y²) from sample points with three functions: one of x, one of y, and one of their sum.",
    state: FORMULA,
    arrive(present) {
      select(present, 0);
      present.model.send({ kind: "resume" });
    },
    follow(present) {
      const { network, frame, news } = present;
      if (news.step === 0) return "";
      const [first, last] = network.layout.layers;
      const [ofX, ofY] = curvesOf(first, frame);
      const ends = (end: (...all: number[]) => number) => end(...ofX.y) + end(...ofY.y);
      const range = [ends(Math.min), ends(Math.max)] as const;
      const [ofSum] = curvesOf(last, frame, range);
      const [x, y, share] = [formOf(ofX), formOf(ofY), exponential(ofSum)];
      const sentence = `${stepWords(present)}: of ${Object.keys(FORMS).length} forms tried, the function of x is most like ${x.form} (${explained(x.explained)} of its variance) and that of y most like ${inY(y.form)} (${explained(y.explained)}); an exponential explains ${explained(share)} of the last.`;
      if (news.state !== "finished") return sentence;
      const isFound = x.form === "sin πx" && y.form === "x²";
      const isClose = Math.min(x.explained, y.explained, share) > 0.98;
      return `${sentence} ${isFound && isClose ? "These are the formula’s parts, up to factors and constants." : "These are not the formula’s parts."}`;
    },
  },
  {
    title: "Doubt",
    words: `The same network from ${SEEDS} other seeds. Left, the function of x in each. Right, the same, scaled to one height and flipped to point one way.`,
    state: FORMULA,
    arrive({ model }) {
      model.send({ kind: "pause" });
      return `The ${SEEDS} networks are training.`;
    },
  },
];

export interface Curve {
  x: readonly number[];
  y: readonly number[];
}

/** Functions of a layer, where its basis is tabulated, from `low` to `high`; below, each by its number. */
export function curvesOf(...of: Parameters<typeof readerOf>): Curve[] {
  const read = readerOf(...of);
  return Array.from({ length: product(of[0].shape) }, (_, f) => read(f));
}

function readerOf(
  { domain, nb, offset, tables }: WireLayer,
  frame: Float32Array,
  [low, high] = domain as readonly [number, number],
) {
  const [table] = tables as { x: DataView; values: DataView }[];
  const [x, beta] = [float32(table.x, "the table"), float32(table.values, "the table")];
  const points = Array.from(x.keys()).filter((k) => x[k] >= low && x[k] <= high);
  return (f: number): Curve => {
    const at = offset + f * nb;
    const y = points.map((k) => {
      let sum = 0;
      for (let b = 0; b < nb; b++) sum += frame[at + b] * beta[k * nb + b];
      return sum;
    });
    return { x: points.map((k) => x[k]), y };
  };
}

/** How far a curve reaches, from its lowest to its highest. */
export const heightOfCurve = ({ y }: Curve) => Math.max(...y) - Math.min(...y);

/** The share of functions of each layer that vary least, or as many by chance, set to zero. */
export function pruned(
  { layout: { layers } }: Made,
  frame: Float32Array,
  share: number,
  chance?: () => number,
) {
  const rest = frame.slice();
  let count = 0;
  for (const layer of layers) {
    const worth = curvesOf(layer, frame).map((curve) => (chance ? chance() : heightOfCurve(curve)));
    const order = Array.from(worth.keys()).sort((one, other) => worth[one] - worth[other]);
    for (const f of order.slice(0, Math.floor(share * worth.length))) {
      rest.fill(0, layer.offset + f * layer.nb, layer.offset + (f + 1) * layer.nb);
      count++;
    }
  }
  return { frame: rest, count };
}

const AT_ONCE = 50;

/** What a network answers to images: of each, the class and its probability. The page stays awake. */
export function createAnswers(machine: Machine, described: Made) {
  const compute = evaluator(machine, described, AT_ONCE);
  return async (frame: Float32Array, images: readonly Float32Array[]) => {
    const answers: { label: number; share: number }[] = [];
    for (let from = 0; from < images.length; from += AT_ONCE) {
      const some = images.slice(from, from + AT_ONCE).flatMap((image) => [...image]);
      for (const row of compute(frame, some)) {
        const most = Math.max(...row);
        answers.push({ label: row.indexOf(most), share: Math.exp(most) });
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
    return answers;
  };
}

/** The forms that a learned curve is held beside; a factor and a constant are fitted to each. */
const FORMS: Record<string, (x: number) => number> = {
  ...{ x: (x) => x, "x²": (x) => x * x, "x³": (x) => x ** 3, "|x|": Math.abs },
  ...{ "sin πx": (x) => Math.sin(Math.PI * x), "cos πx": (x) => Math.cos(Math.PI * x) },
  ...{ "exp x": Math.exp, "tanh 3x": (x) => Math.tanh(3 * x) },
};
export const inY = (form: string) => form.replace(/x(?!p)/, "y");

/** The form that is most like a curve, and the share of the curve's variance that it explains. */
export function formOf({ x, y }: Curve): { form: string; explained: number } {
  const found = Object.entries(FORMS).map(([form, f]) => {
    return { form, explained: correlation(x.map(f), y) ** 2 };
  });
  return found.reduce((best, one) => (one.explained > best.explained ? one : best));
}

/** The share of a curve's variance that exp(k·x) explains, for the best k of either sign. */
export function exponential({ x, y }: Curve): number {
  const rates = Array.from({ length: 60 }, (_, k) => 0.1 * 1.07 ** k);
  const likeness = (k: number) => {
    const form = x.map((value) => Math.exp(k * value));
    return correlation(form, y) ** 2;
  };
  return Math.max(...rates.flatMap((k) => [likeness(k), likeness(-k)]));
}

/** Brought to mean 0 and standard deviation 1. */
export function standardised(values: readonly number[]): number[] {
  const { mean, deviation } = momentsOf(values);
  return values.map((one) => (one - mean) / (deviation || 1));
}

export function correlation(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [standardised(one), standardised(other)];
  return a.reduce((sum, value, k) => sum + value * b[k], 0) / a.length;
}

/** A number in two digits. */
export const short = (value: number) => String(Number(value.toPrecision(2))).replace("-", "−");
