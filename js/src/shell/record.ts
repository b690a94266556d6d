/** What is drawn on canvases, noted as shapes: the same drawing code makes the page and an SVG. */

export type Matrix = readonly [number, number, number, number, number, number];

/** A shape; lengths are the canvas's own pixels until `moved` changes them. */
export type Shape =
  | {
      kind: "path";
      /** As in SVG. */
      d: string;
      /** How path and stroke are turned and scaled; the clip is not. */
      matrix?: Matrix;
      fill?: string;
      stroke?: string;
      width?: number | undefined;
      dash?: readonly number[] | undefined;
      join?: string;
      cap?: string;
      /** Drawn without soft edges. */
      crisp?: boolean;
      opacity: number;
      clip: string;
    }
  | {
      kind: "text";
      text: string;
      x: number;
      y: number;
      /** How the text is turned and scaled; x and y are before that. */
      matrix: Matrix;
      font: string;
      fill: string;
      align: "start" | "middle" | "end";
      opacity: number;
      clip: string;
    }
  | {
      kind: "image";
      href: string;
      box: readonly [number, number, number, number];
      smooth: boolean;
      opacity: number;
      clip: string;
    };

type Canvas = HTMLCanvasElement;
type Context = CanvasRenderingContext2D;
// biome-ignore lint/suspicious/noExplicitAny: methods of any arguments are put in each other's place
type Method = (...given: any[]) => unknown;

const NAMES = [
  "beginPath",
  "closePath",
  "moveTo",
  "lineTo",
  "rect",
  "arc",
  "fill",
  "stroke",
  "clip",
  "save",
  "restore",
  "fillRect",
  "strokeRect",
  "clearRect",
  "fillText",
  "drawImage",
] as const;

/** The path and the clip of one context. */
interface State {
  path: string;
  clip: string;
  kept: string[];
}

/**
 * Calls `draw`, which draws as always, and gives the shapes that it put on each canvas. Whatever it
 * does not draw anew is not among them. `draw` must not wait for anything.
 */
export function record(window: Window & typeof globalThis, draw: () => void): Map<Canvas, Shape[]> {
  const made = new Map<Canvas, Shape[]>();
  const states = new Map<Context, State>();
  const prototype = window.CanvasRenderingContext2D?.prototype as unknown as
    | Record<string, Method>
    | undefined;
  if (!prototype) {
    draw();
    return made;
  }
  const shapesOf = (canvas: Canvas) => {
    const known = made.get(canvas);
    if (known) return known;
    const fresh: Shape[] = [];
    made.set(canvas, fresh);
    return fresh;
  };
  const stateOf = (context: Context) => {
    const known = states.get(context);
    if (known) return known;
    const fresh = { path: "", clip: "", kept: [] };
    states.set(context, fresh);
    return fresh;
  };
  let noting = false;
  const originals = NAMES.map((name) => [name, prototype[name]] as const);
  for (const [name, original] of originals) {
    const note = NOTES[name];
    prototype[name] = function (this: Context, ...given: number[]) {
      // Noting may itself draw, to copy pixels.
      if (!noting) {
        noting = true;
        try {
          note(this, stateOf(this), shapesOf(this.canvas), given, made);
        } finally {
          noting = false;
        }
      }
      return original.apply(this, given);
    };
  }
  try {
    draw();
  } finally {
    for (const [name, original] of originals) prototype[name] = original;
  }
  return made;
}

type Note = (
  context: Context,
  state: State,
  shapes: Shape[],
  // biome-ignore lint/suspicious/noExplicitAny: the arguments of the method
  given: any[],
  made: Map<Canvas, Shape[]>,
) => void;

const NOTES: Record<(typeof NAMES)[number], Note> = {
  beginPath(_, state) {
    state.path = "";
  },
  closePath(_, state) {
    state.path += "Z";
  },
  moveTo(context, state, _, [x, y]) {
    state.path += `M${at(context, x, y)}`;
  },
  lineTo(context, state, _, [x, y]) {
    state.path += `${state.path ? "L" : "M"}${at(context, x, y)}`;
  },
  rect(context, state, _, [x, y, w, h]) {
    state.path += box(context, x, y, w, h);
  },
  arc(context, state, _, [x, y, radius, from, to, back]) {
    // In short straight pieces: a turned or stretched circle needs no case of its own.
    const turn = Math.min(2 * Math.PI, Math.abs(to - from)) * (back ? -1 : 1);
    const pieces = Math.max(8, Math.ceil(Math.abs(turn) * 8));
    for (let k = 0; k <= pieces; k++) {
      const angle = from + (turn * k) / pieces;
      const point = at(context, x + radius * Math.cos(angle), y + radius * Math.sin(angle));
      state.path += `${k === 0 && !/[ML]/.test(state.path) ? "M" : "L"}${point}`;
    }
  },
  fill(context, state, shapes) {
    if (state.path) shapes.push(filled(context, state, state.path));
  },
  stroke(context, state, shapes) {
    if (state.path) shapes.push(stroked(context, state, state.path));
  },
  clip(_, state) {
    // A clip within a clip is smaller: the views have no other.
    state.clip = state.path;
  },
  save(_, state) {
    state.kept.push(state.clip);
  },
  restore(_, state) {
    state.clip = state.kept.pop() ?? "";
  },
  fillRect(context, state, shapes, [x, y, w, h]) {
    shapes.push(filled(context, state, box(context, x, y, w, h)));
  },
  strokeRect(context, state, shapes, [x, y, w, h]) {
    shapes.push(stroked(context, state, box(context, x, y, w, h)));
  },
  clearRect(_, __, shapes) {
    // The views clear the whole canvas, before they draw.
    shapes.length = 0;
  },
  fillText(context, state, shapes, [text, x, y]) {
    const { a, b, c, d, e, f } = context.getTransform();
    const align = context.textAlign;
    shapes.push({
      kind: "text",
      text: String(text),
      x,
      y: y + baselineBelow(context, text),
      matrix: [a, b, c, d, e, f],
      font: context.font,
      fill: colour(context.fillStyle),
      align: align === "center" ? "middle" : align === "right" || align === "end" ? "end" : "start",
      opacity: context.globalAlpha,
      clip: state.clip,
    });
  },
  drawImage(context, state, shapes, given, made) {
    const [source] = given as [Canvas];
    const whole = given.length < 6;
    const [sx, sy, sw, sh] = whole ? [0, 0, source.width, source.height] : given.slice(1, 5);
    const place = given.slice(whole ? 1 : 5);
    const [x, y, w = sw, h = sh] = place as number[];
    const { a, d, e, f } = context.getTransform();
    const to = [e + a * x, f + d * y, a * w, d * h] as const;
    const own = made.get(source);
    if (whole && own && own.length > 0) {
      const [kx, ky] = [to[2] / source.width, to[3] / source.height];
      for (const shape of own) shapes.push(moved(shape, kx, ky, to[0], to[1]));
      return;
    }
    shapes.push({
      kind: "image",
      href: pixelsOf(source, sx, sy, sw, sh),
      box: to,
      smooth: context.imageSmoothingEnabled,
      opacity: context.globalAlpha,
      clip: state.clip,
    });
  },
};

/** How far below the y that a text is written at its letters stand. */
function baselineBelow(context: Context, text: string): number {
  const baseline = context.textBaseline;
  const before = context.measureText(text).actualBoundingBoxAscent;
  context.textBaseline = "alphabetic";
  const lower = context.measureText(text).actualBoundingBoxAscent - before;
  context.textBaseline = baseline;
  return lower;
}

function filled(context: Context, { clip }: State, d: string): Shape {
  return { kind: "path", d, fill: colour(context.fillStyle), opacity: context.globalAlpha, clip };
}

function stroked(context: Context, { clip }: State, d: string): Shape {
  const { a, b } = context.getTransform();
  const scale = Math.hypot(a, b);
  return {
    kind: "path",
    d,
    stroke: colour(context.strokeStyle),
    width: context.lineWidth * scale,
    dash: context.getLineDash().map((length) => length * scale),
    join: context.lineJoin,
    opacity: context.globalAlpha,
    clip,
  };
}

function colour(style: string | CanvasGradient | CanvasPattern): string {
  return typeof style === "string" ? style : "#888";
}

function at(context: Context, x: number, y: number): string {
  const { a, b, c, d, e, f } = context.getTransform();
  return `${short(a * x + c * y + e)} ${short(b * x + d * y + f)}`;
}

function box(context: Context, x: number, y: number, w: number, h: number): string {
  const corners = [
    at(context, x, y),
    at(context, x + w, y),
    at(context, x + w, y + h),
    at(context, x, y + h),
  ];
  return `M${corners.join("L")}Z`;
}

/** A part of a canvas as a picture of its own, pixel by pixel. */
export function pixelsOf(source: Canvas, x: number, y: number, w: number, h: number): string {
  const part = source.ownerDocument.createElement("canvas");
  part.width = Math.max(1, Math.round(w));
  part.height = Math.max(1, Math.round(h));
  const paper = part.getContext("2d");
  if (paper) paper.imageSmoothingEnabled = false;
  paper?.drawImage(source, x, y, w, h, 0, 0, part.width, part.height);
  return part.toDataURL("image/png");
}

/** A shape stretched by kx and ky and moved by x and y. */
export function moved(shape: Shape, kx: number, ky: number, x: number, y: number): Shape {
  const clip = movedPath(shape.clip, kx, ky, x, y);
  const movedMatrix = ([a, b, c, d, e, f]: Matrix): Matrix => [
    a * kx,
    b * ky,
    c * kx,
    d * ky,
    e * kx + x,
    f * ky + y,
  ];
  if (shape.kind === "path") {
    if (shape.matrix) return { ...shape, matrix: movedMatrix(shape.matrix), clip };
    const d = movedPath(shape.d, kx, ky, x, y);
    const width = shape.width === undefined ? undefined : shape.width * kx;
    return { ...shape, d, width, dash: shape.dash?.map((length) => length * kx), clip };
  }
  if (shape.kind === "text") {
    return { ...shape, matrix: movedMatrix(shape.matrix), clip };
  }
  const [left, top, w, h] = shape.box;
  return { ...shape, box: [left * kx + x, top * ky + y, w * kx, h * ky], clip };
}

function movedPath(d: string, kx: number, ky: number, x: number, y: number): string {
  return d.replace(
    /(-?[\d.]+(?:e-?\d+)?) (-?[\d.]+(?:e-?\d+)?)/g,
    (_, px: string, py: string) => `${short(Number(px) * kx + x)} ${short(Number(py) * ky + y)}`,
  );
}

export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
