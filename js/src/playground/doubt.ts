/** The same network from several seeds, each in a worker of its own, and their functions in one picture. */

import { type Course, workerOf } from "../page/trained.ts";
import type { Machine } from "../training/machine.ts";
import type { News } from "../training/worker.ts";
import { readLayout } from "../wire/protocol.ts";
import { makeNetwork } from "./network.ts";
import type { Problem } from "./problems.ts";
import type { State } from "./state.ts";
import { type Curve, correlation, curvesOf, SEEDS, short, standardised } from "./story_steps.ts";

const [WIDTH, HEIGHT, GAP] = [480, 96, 24];

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
  const { settings, data, code } = course;
  for (let seed = 0; seed < SEEDS; seed++) {
    const network = makeNetwork({ ...state, seed: state.seed + 1 + seed }, problem, machine);
    const { structure, recipe, frame, layout } = network;
    const { worker, send } = workerOf(course, signal);
    worker.onmessage = ({ data: news }: MessageEvent<News | { fault: string }>) => {
      if ("fault" in news) return;
      [curves[seed]] = curvesOf(layout.layers[0], news.frame);
      draw(canvas, curves.filter(Boolean));
      send({ kind: "drawn" });
      if (news.state !== "finished" && news.state !== "diverged") return;
      worker.terminate();
      errors[seed] = news.state === "finished" ? (news.score?.value ?? Number.NaN) : Number.NaN;
      if (Object.keys(errors).length === SEEDS) tell(curves, errors);
    };
    const description = { structure, layout: readLayout(layout), recipe };
    const own = { ...settings, seed: settings.seed + 1 + seed };
    send({ kind: "begin", description, frame, data, settings: own, code });
    send({ kind: "run", steps: Number.POSITIVE_INFINITY });
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

/** Left as they are, right brought to one height. */
function draw(canvas: HTMLCanvasElement, curves: readonly Curve[]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const scale = canvas.ownerDocument.defaultView?.devicePixelRatio ?? 1;
  if (canvas.width !== Math.round(WIDTH * scale)) {
    canvas.width = Math.round(WIDTH * scale);
    canvas.height = Math.round(HEIGHT * scale);
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, WIDTH, HEIGHT);
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--kw-page-muted");
  context.globalAlpha = 0.7;
  context.lineWidth = 1.5;
  const room = (WIDTH - GAP) / 2;
  const [{ x }] = curves;
  const [first, last] = [x[0], x[x.length - 1]];
  for (const [part, all] of [curves.map(({ y }) => y), aligned(curves)].entries()) {
    const [low, high] = [Math.min(...all.flat()), Math.max(...all.flat())];
    for (const y of all) {
      context.beginPath();
      for (const [k, value] of y.entries())
        context.lineTo(
          part * (room + GAP) + (room * (x[k] - first)) / (last - first),
          4 + ((HEIGHT - 8) * (high - value)) / (high - low || 1),
        );
      context.stroke();
    }
  }
}
