/** A network's outputs without a page, as the page computes them: so they are held to what the model gives. */

import { extrasAt, forward, obstacle } from "./phi/forward.ts";
import { parsed, storeOf } from "./still.ts";

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
