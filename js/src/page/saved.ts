/** What a page holds, as kan_widgets/widgets/pages/page.py writes it. */

import type { Recipe } from "../training/network.ts";
import type { TrainingSettings } from "../training/trainer.ts";
import { decodedBase64, type Path, putBytes, uint8 } from "../wire/protocol.ts";

export interface Saved {
  streams: SavedStream[];
  models: SavedModel[];
  places: ViewPlace[];
  theme: "auto" | "light" | "dark";
  /** In a page that Python serves (live.ts) the number of the last message whose news is in it. Of streams it has no more than traits. */
  heard?: number;
  /** In a page in which a network trains: see trained.ts. */
  lesson?: Lesson;
  /** Where values that do not go into JSON belong in this document, and where they lie in the bytes. */
  bytes: [path: Path, at: number, length: number][];
}

export interface SavedStream extends SavedModel {
  /** The frames by rising step, in runs of one layout. */
  runs: FrameRun[];
  /** Messages as the stream gets them from Python. */
  observed: object[];
  /** What the network made of the examples, by rising step. */
  activations?: object[];
}

/** What a page in which a network trains has beside its views, as kan_widgets/widgets/training_page.py writes it. */
export interface Lesson {
  recipe: Record<string, Omit<Recipe[string], "scaler"> & { scaler?: DataView }>;
  train: SavedExamples;
  test: SavedExamples;
  /** Which of their parts are whole numbers of one byte; the others are float32. */
  bytes: Record<"inputs" | "targets", boolean>;
  /** What the examples are called. */
  name: string;
  shift: number;
  settings: TrainingSettings;
  /** The worker's script, and the compiled kernels. */
  worker: DataView;
  code: DataView;
  /** The kernels in JavaScript, gzipped, for browsers without WebAssembly. */
  translated: DataView;
}

export interface SavedExamples {
  inputs: DataView;
  targets: DataView;
}

interface FrameRun {
  layout: number;
  steps: number[];
  /** The numbers of all frames of the run: as `unfold` reads them, or `widen` where they are rounded. */
  data: DataView;
  /** Of rounded frames: how many functions of how many coefficients each layer has. */
  counts?: [functions: number, coefficients: number][];
  /** The step to which each function is rounded, as float32. */
  sizes?: DataView;
  /** What the last frame has beside whole steps, in parts of a step. */
  fine?: DataView;
  /** What each frame has after its coefficients, as float32. */
  beside?: DataView;
}

interface SavedModel {
  /** Its identity, by which traits refer to it: "anywidget:…". */
  id: string;
  traits: Record<string, unknown>;
}

/** Where a view is drawn: in the element whose `data-kw-place` is this one's number. */
export interface ViewPlace {
  /** The name of the view's class. */
  name: string;
  /** The identity of its model. */
  model: string;
}

/** Puts the bytes of base64 of deflate back to where they belong. */
export async function unpack(text: string, base64: string): Promise<Saved> {
  const saved = JSON.parse(text) as Saved;
  const stream = new Blob([decodedBase64(base64.trim())])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  for (const [path, at, length] of saved.bytes) {
    putBytes(saved, path, new DataView(bytes, at, length));
  }
  return saved;
}

/** The frames of a run, as the protocol has them in a trait. */
export function framesOf(run: FrameRun) {
  const words = run.sizes ? widen(run) : unfold(run.data, run.steps.length);
  const length = words.byteLength / run.steps.length;
  return run.steps.map((step, n) => ({
    layout: run.layout,
    step,
    data: new DataView(words.buffer, n * length, length) as DataView,
    /** The numbers are rounded. */
    rough: run.sizes !== undefined && n < run.steps.length - 1,
  }));
}

/** Parts of a step, as in kan_widgets/widgets/pages/page_frames.py. */
const FINE = 254;

/** Frames rounded to whole steps, as float32: `data` has of each coefficient the first value, then each move. */
export function widen(run: FrameRun): Float32Array<ArrayBuffer> {
  const { steps, data, counts, sizes, fine, beside } = run;
  const frames = steps.length;
  const coefficientsOfAll = data.byteLength / frames;
  const besideSize = (beside?.byteLength ?? 0) / 4 / frames;
  const frameSize = coefficientsOfAll + besideSize;
  const frameData = new Float32Array(frameSize * frames);
  for (let k = 0; k < besideSize * frames; k++) {
    const at = Math.floor(k / besideSize) * frameSize + coefficientsOfAll + (k % besideSize);
    frameData[at] = beside?.getFloat32(4 * k, true) ?? 0;
  }
  let [index, first] = [0, 0];
  for (const [functions, coefficients] of counts ?? []) {
    for (let i = 0; i < functions * coefficients; i++, index++) {
      const step = sizes?.getFloat32(4 * (first + Math.floor(i / coefficients)), true) ?? 1;
      let at = 0;
      for (let frame = 0; frame < frames; frame++) {
        // Bytes wrap: a move of more than 127 steps goes round.
        at = ((at + data.getInt8(index * frames + frame)) << 24) >> 24;
        frameData[frame * frameSize + index] = at * step;
      }
      frameData[(frames - 1) * frameSize + index] =
        (at + (fine?.getInt8(index) ?? 0) / FINE) * step;
    }
    first += functions;
  }
  return frameData;
}

/** Undoes what makes frames compress well: each word less that of the frame before, and of a frame all lowest bytes first. */
export function unfold(folded: DataView, frames: number): Uint32Array<ArrayBuffer> {
  const bytes = new Uint8Array(folded.buffer, folded.byteOffset, folded.byteLength);
  const size = bytes.length / 4 / frames;
  const words = new Uint32Array(bytes.length / 4);
  for (let frame = 0; frame < frames; frame++) {
    const from = 4 * frame * size;
    for (let i = 0; i < size; i++) {
      const word =
        bytes[from + i] |
        (bytes[from + size + i] << 8) |
        (bytes[from + 2 * size + i] << 16) |
        (bytes[from + 3 * size + i] << 24);
      const at = frame * size + i;
      words[at] = word + (frame > 0 ? words[at - size] : 0);
    }
  }
  return words;
}

/** Where WebAssembly is refused, puts the kernels in JavaScript, some eight times slower, into the page, and before its worker's script. */
export async function prepare(document: Document, lesson: Lesson): Promise<Lesson> {
  if (runsWebAssembly(uint8(lesson.code, "the kernels"))) return lesson;
  const zipped = new Blob([uint8(lesson.translated, "the kernels in JavaScript")]).stream();
  const text = await new Response(zipped.pipeThrough(new DecompressionStream("gzip"))).text();
  // The page's policy knows its hash.
  const script = document.createElement("script");
  script.textContent = text;
  document.head.append(script);
  const both = new Blob([text, "\n", uint8(lesson.worker, "the worker")]);
  return { ...lesson, worker: new DataView(await both.arrayBuffer()) };
}

function runsWebAssembly(code: Uint8Array<ArrayBuffer>): boolean {
  // The smallest module: a page that may run none says so here.
  const nothing = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  try {
    return WebAssembly.validate(code) && new WebAssembly.Module(nothing) !== null;
  } catch {
    return false;
  }
}
