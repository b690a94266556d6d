/** Views as an SVG, and a network's outputs, without a page: what Python asks for. */

import { PageModel } from "./page/trained.ts";
import { extrasAt, forward } from "./phi/forward.ts";
import type { ThemeName } from "./phi/palette.ts";
import { type Drawing, type Given, NOT_POINTED } from "./scene/drawing.ts";
import { messageOf, type Paged, pictureOf, stackedSvg } from "./scene/still.ts";
import { type Theme, themeOf } from "./scene/theme.ts";
import { VIEWS } from "./views/registry.ts";
import { decodedBase64 } from "./wire/protocol.ts";
import { initialize } from "./wire/stream.ts";
import type { Store } from "./wire/types.ts";

/** One picture that Python asks for; bytes come as {"base64": "…"}. */
interface StillRequest {
  kind: string;
  traits: Record<string, unknown>;
  /** The traits of the view's stream. */
  stream: Record<string, unknown>;
  /** Messages of the stream beside its traits: what was observed. */
  messages: unknown[];
  /** Other views that are drawn within this one. */
  parts?: StillRequest[];
  width: number;
  /** CSS pixels for a drawing that can choose its height, and at most for the whole picture. */
  height: number;
  most: number;
  theme: ThemeName;
  ratio: number;
}

const FOREVER = { aborted: false, addEventListener() {} } as unknown as AbortSignal;

/** The drawings of a film: each remembers what it chose in the picture before. */
const reel = { film: 0, drawings: [] as Drawing[] };

/** Pictures below each other; `film` is the number of the film that they belong to, or 0. */
export function still(json: string, film = 0): string {
  const pictures = parseJson<StillRequest[]>(json);
  if (!film || film !== reel.film) Object.assign(reel, { film, drawings: [] });
  return stackedSvg(pictures.map(pictureFor), themeOf(pictures[0].theme), (pixels) => {
    const { width, height, rgba } = pixels;
    const bytes = new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.length);
    return kwPng(width, height, (bytes as unknown as { toBase64(): string }).toBase64());
  });
}

function pictureFor(request: StillRequest, place: number): Paged {
  const given = { ...givenOf(request, themeOf(request.theme)), film: reel.film > 0 };
  reel.drawings[place] ??= VIEWS[request.kind].drawing();
  const scene = reel.drawings[place](given);
  return typeof scene === "string"
    ? messageOf(scene, request.width, given.theme)
    : pictureOf(scene, given.theme, request.most);
}

function givenOf(
  { stream, messages, traits, width, height, ratio, parts }: StillRequest,
  theme: Theme,
): Given {
  return {
    store: storeOf(stream, messages),
    get: (trait) => traits[trait],
    width,
    height,
    theme,
    ratio,
    pointed: NOT_POINTED,
    still: true,
    parts: parts?.map((part) => givenOf(part, theme)),
  };
}

/** Reads JSON from Python, with what is in base64 turned back into bytes. */
function parseJson<T>(json: string): T {
  return JSON.parse(json, (_, value) =>
    value && typeof value === "object" && "base64" in value ? decodedBase64(value.base64) : value,
  );
}

function storeOf(stream: StillRequest["stream"], messages: StillRequest["messages"] = []): Store {
  const model = new StillModel(stream);
  const store = initialize({ model: model as never, signal: FOREVER });
  for (const message of messages) model.tell(message);
  return store;
}

class StillModel extends PageModel {
  tell(content: unknown) {
    this.emit("msg:custom", content);
  }
}

/** What Python's engine adds to the language (widgets/shell/drawing_engine.py). */
declare const kwPng: (width: number, height: number, base64: string) => string;

/**
 * The outputs of all stations, as lists in JSON, from the traits of a stream and one input of the network in float32;
 * throws where the page cannot compute them.
 */
export function stationOutputs(json: string): string {
  const { stream, input } = parseJson<{ stream: StillRequest["stream"]; input: DataView }>(json);
  const store = storeOf(stream);
  const [structure, frame] = [store.structure(), store.current()];
  const extras = structure && frame && extrasAt(structure, frame, store.activations());
  if (!extras) throw new Error("Numbers beside the functions are not known at this step.");
  const { buffer, byteOffset, byteLength } = input;
  const given = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  return JSON.stringify(forward(structure, frame, extras, given).map((own) => Array.from(own)));
}
