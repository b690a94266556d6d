/** A page of fixed size whose canvases draw nothing, for views that are mounted without a browser. */

import { vi } from "vitest";
import type { makeRun } from "./made_up_run.ts";

/** Elements are as wide and as high as told. Gives the one context of all canvases, and counts of its calls. */
export function blankPage(width: number, height: number, outerHeight?: number) {
  const calls: Record<string, number> = {};
  const made: Record<string, unknown> = {
    canvas: document.createElement("canvas"),
    createImageData: (w: number, h: number) => ({ data: new Uint8ClampedArray(4 * w * h) }),
  };
  const context = new Proxy(made, {
    get: (target, name: string) =>
      name in target
        ? target[name]
        : () => {
            calls[name] = (calls[name] ?? 0) + 1;
          },
    set: (target, name: string, value) => {
      target[name] = value;
      return true;
    },
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(() => context as never);
  for (const name of ["clientWidth", "offsetWidth"] as const) {
    vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(width);
  }
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(height);
  if (outerHeight !== undefined) {
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(outerHeight);
  }
  return { context, calls };
}

/** Ends all views of a page, and takes away what was put in place of its parts. */
export function endPage(life: AbortController): void {
  life.abort();
  vi.restoreAllMocks();
  document.body.replaceChildren();
}

/** The traits of a stream that shows the first frame of a run. */
export function traitsOf(run: ReturnType<typeof makeRun>) {
  return {
    layouts: [run.layout],
    initial: { layout: 1, step: 0, data: run.frame(0) },
    frame: {},
    selection: {},
    cursor: -1,
    ghost_step: -1,
    edits: {},
    status: { state: "idle", message: "" },
  };
}
