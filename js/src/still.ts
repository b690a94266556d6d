/** Views as an SVG, and a network's outputs, without a page: what Python asks for. */

import { PageModel } from "./page/model.ts";
import { extrasAt, forward, obstacle } from "./phi/forward.ts";
import { type Given, NOTHING } from "./scene/drawing.ts";
import { messageOf, type Paged, pictureOf, sheetOf } from "./scene/still.ts";
import { type Theme, type ThemeName, themeOf } from "./scene/theme.ts";
import { VIEWS } from "./views/registry.ts";
import { initialize } from "./wire/stream.ts";
import type { Store } from "./wire/types.ts";

/** What Python asks; bytes come as {"base64": "…"}. */
interface Asked {
  kind: string;
  traits: Record<string, unknown>;
  /** The traits of its stream. */
  stream: Record<string, unknown>;
  /** Messages of the stream that are no traits: what was observed. */
  messages: { content: unknown; buffers: unknown[] }[];
  /** Other views that are drawn in it. */
  parts?: Asked[];
  width: number;
  /** CSS pixels for a drawing that can choose, and the most for the whole picture. */
  height: number;
  most: number;
  theme: ThemeName;
  ratio: number;
}

const FOREVER = { aborted: false, addEventListener() {} } as unknown as AbortSignal;

/** Pictures below each other. */
export function still(json: string): string {
  const pictures = parsed<Asked[]>(json);
  return sheetOf(pictures.map(paged), themeOf(pictures[0].theme));
}

function paged(asked: Asked): Paged {
  const given = givenOf(asked, themeOf(asked.theme));
  const scene = VIEWS[asked.kind].drawing()(given);
  return typeof scene === "string"
    ? messageOf(scene, asked.width, given.theme)
    : pictureOf(scene, given.theme, asked.most);
}

function givenOf(
  { stream, messages, traits, width, height, ratio, parts }: Asked,
  theme: Theme,
): Given {
  return {
    store: storeOf(stream, messages),
    get: (trait) => traits[trait],
    width,
    height,
    theme,
    ratio,
    pointed: NOTHING,
    still: true,
    parts: parts?.map((part) => givenOf(part, theme)),
  };
}

/** What Python sends, its bytes as they were. */
function parsed<T>(json: string): T {
  return JSON.parse(json, (_, value) =>
    value && typeof value === "object" && "base64" in value ? bytesOf(value.base64) : value,
  );
}

function storeOf(stream: Asked["stream"], messages: Asked["messages"] = []): Store {
  const model = new StillModel(stream);
  const store = initialize({ model: model as never, signal: FOREVER });
  for (const { content, buffers } of messages) model.tell(content, buffers);
  return store;
}

class StillModel extends PageModel {
  tell(content: unknown, buffers: unknown[]) {
    this.emit("msg:custom", content, buffers);
  }
}

/** Engines of today have this as a method; Python's does. */
function bytesOf(base64: string): DataView {
  const { fromBase64 } = Uint8Array as unknown as { fromBase64(text: string): Uint8Array };
  const { buffer, byteOffset, byteLength } = fromBase64.call(Uint8Array, base64);
  return new DataView(buffer, byteOffset, byteLength);
}

interface Asked {
  /** The traits of a stream. */
  stream: Record<string, unknown>;
  /** Float32, of the shape of the network's input. */
  input: DataView;
}

/** The outputs by station, as lists; or, as a string, why they cannot be computed. */
export function computed(json: string): string {
  const { stream, input } = parsed<Asked>(json);
  const store = storeOf(stream);
  const [structure, frame] = [store.structure(), store.current()];
  if (!structure || !frame)
    return JSON.stringify(store.status().message || "There is nothing yet.");
  const extras = extrasAt(structure, frame, store.activations());
  if (!extras) return JSON.stringify("Numbers beside the functions are not known at this step.");
  const words = obstacle(structure, frame.layout, extras);
  if (words) return JSON.stringify(words);
  const { buffer, byteOffset, byteLength } = input;
  const given = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  return JSON.stringify(forward(structure, frame, extras, given).map((own) => Array.from(own)));
}
