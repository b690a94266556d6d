/** The same network from several seeds, each in a worker of its own, and their functions in one picture. */

import { type Course, startWorker } from "../page/trained.ts";
import type { Machine } from "../training/machine.ts";
import type { News } from "../training/worker.ts";
import { descriptionOf, makeNetwork } from "./network.ts";
import type { Problem } from "./problems.ts";
import type { State } from "./state.ts";
import { type Curve, correlation, curvesOf, SEEDS, short, standardised } from "./story_steps.ts";

/** Of the picture, and of a plot in it. */
const [WIDTH, HEIGHT] = [340, 85];
const [ROOM, TOP, BOTTOM] = [136, 18, 68];

/** Trains them and draws each one's first function in `canvas` until `signal`; tells when all have come to their end. */
export function startDoubt(
  canvas: HTMLCanvasElement,
  course: Course,
  { state, problem, machine }: { state: State; problem: Problem; machine: Machine },
  signal: AbortSignal,
  tell: (curves: Curve[], errors: number[]) => void,
): void {
  const curves: Curve[] = [];
  const errors: number[] = [];
  const { settings } = course;
  for (let seed = 0; seed < SEEDS; seed++) {
    const network = makeNetwork({ ...state, seed: state.seed + 1 + seed }, problem, machine);
    const hear = (news: News | { fault: string }) => {
      if ("fault" in news) return;
      [curves[seed]] = curvesOf(network.layout.layers[0], news.frame);
      drawDoubt(canvas, curves.filter(Boolean));
      worker.send({ kind: "drawn" });
      if (news.state !== "finished" && news.state !== "diverged") return;
      worker.stop();
      errors[seed] = news.state === "finished" ? (news.score?.value ?? Number.NaN) : Number.NaN;
      if (Object.keys(errors).length === SEEDS) tell(curves, errors);
    };
    const worker = startWorker(course, descriptionOf(network), hear, signal);
    worker.begin(network.frame, { ...settings, seed: settings.seed + 1 + seed });
    worker.run();
  }
}

/** Curves brought to one height, and turned over where they run against the first. */
function aligned(curves: readonly Curve[]): number[][] {
  return curves.map(({ y }) => {
    const turn = correlation(y, curves[0].y) < 0 ? -1 : 1;
    return standardised(y).map((value) => turn * value);
  });
}

/** What the seeds have come to. */
export function doubtWords(curves: readonly Curve[], errors: readonly number[]): string {
  const shapes = aligned(curves);
  const alike = shapes.filter((shape) => {
    // With most of the others, so that a few strange ones do not decide.
    const same = shapes.filter((other) => correlation(shape, other) ** 2 > 0.95);
    return same.length > SEEDS / 2;
  });
  const told = `On test points, they are off by ${short(Math.min(...errors))} to ${short(Math.max(...errors))}.`;
  if (alike.length === SEEDS)
    return `${told} All ${SEEDS} shapes agree: height and direction depend on the seed, the shape does not.`;
  return `${told} ${alike.length > 0 ? `${alike.length} of ${SEEDS} shapes agree` : "No shape is shared by most"}: what one network shows may be due to its seed.`;
}

/** Draws the curves: left as they are, right brought to one height. */
export function drawDoubt(canvas: HTMLCanvasElement, curves: readonly Curve[]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const scale = canvas.ownerDocument.defaultView?.devicePixelRatio ?? 1;
  canvas.width = Math.round(WIDTH * scale);
  canvas.height = Math.round(HEIGHT * scale);
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  context.font = `10.5px ${style.fontFamily}`;
  context.strokeStyle = context.fillStyle = style.getPropertyValue("--kw-page-muted");
  const write = (words: string, x: number, y: number, side: CanvasTextAlign) => {
    context.textAlign = side;
    context.fillText(words, x, y);
  };
  const [{ x }] = curves;
  const [first, last] = [x[0], x[x.length - 1]];
  const plots = [
    { title: `φ(x) of ${curves.length} networks`, left: 34, all: curves.map(({ y }) => y) },
    { title: "scaled and flipped", left: WIDTH - ROOM - 6, all: aligned(curves) },
  ];
  for (const { title, left, all } of plots) {
    const [low, high] = [Math.min(...all.flat()), Math.max(...all.flat())];
    const down = (value: number) => TOP + ((BOTTOM - TOP) * (high - value)) / (high - low || 1);
    write(title, left, 10, "left");
    for (const [k, words] of [short(first), "x", short(last)].entries())
      write(words, left + (k * ROOM) / 2, HEIGHT - 2, "center");
    if (all !== plots[1].all)
      for (const value of [low, high]) write(short(value), left - 4, down(value) + 4, "right");
    context.lineWidth = 0.5;
    context.strokeRect(left, TOP - 2, ROOM, BOTTOM - TOP + 4);
    context.lineWidth = 1.2;
    for (const y of all) {
      context.beginPath();
      for (const [k, value] of y.entries())
        context.lineTo(left + (ROOM * (x[k] - first)) / (last - first), down(value));
      context.stroke();
    }
  }
}
