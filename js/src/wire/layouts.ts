/** The layouts that came, and frames completed by them. */

import { WireError } from "./checks.ts";
import { type RawFrame, readFrame, readLayout } from "./protocol.ts";
import type { Frame, Layout } from "./types.ts";

export function createLayouts(trait: () => unknown[], kept: () => void) {
  const layouts = new Map<number, Layout>();
  let floor = 0;

  function keep(layout: Layout): void {
    if (layout.version < floor || layouts.has(layout.version)) return;
    layouts.set(layout.version, layout);
    kept();
  }

  /** Takes those of the stream's trait. */
  function read(): void {
    for (const raw of trait() as { version?: unknown }[]) {
      const version = raw?.version;
      if (typeof version === "number" && (version < floor || layouts.has(version))) continue;
      keep(readLayout(raw));
    }
  }

  return {
    keep,
    read,
    /** The frame with its layout; null if it belongs to a replaced binding. */
    complete(raw: RawFrame): Frame | null {
      if (raw.layout < floor) return null;
      if (!layouts.has(raw.layout)) read();
      const layout = layouts.get(raw.layout);
      if (!layout) {
        throw new WireError(
          `The frame of step ${raw.step} needs layout ${raw.layout}, which has not arrived.`,
        );
      }
      return readFrame(raw, layout);
    },
    /** Once frames of a layout come, older layouts are of use only to the frames that are kept. */
    forget(before: Layout, inUse: ReadonlySet<Layout>) {
      for (const [version, layout] of layouts) {
        if (version < before.version && !inUse.has(layout)) layouts.delete(version);
      }
    },
    /** Layouts below the version belong to a binding that was replaced. */
    restart(version: number) {
      floor = version;
      layouts.clear();
    },
  };
}
