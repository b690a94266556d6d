/** Browsers that refuse WebAssembly: the same kernels, in JavaScript, some eight times slower. */

import { uint8 } from "../wire/checks.ts";
import type { Lesson } from "./saved.ts";

/** Where WebAssembly is refused, puts the translated kernels into the page, and before its worker's script. */
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
