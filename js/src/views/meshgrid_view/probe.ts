/** What tests and other tools may ask of a view, as `element.kwView`. */

import { matrixOf } from "../../phi/ramp.ts";
import { patchAt, respond } from "../../phi/response.ts";
import type { Stage } from "../../shell/stage.ts";
import type { MeshScene } from "./scene.ts";
import type { Mode } from "./settings.ts";

interface Asked {
  root: HTMLElement;
  stage: Stage;
  scene(): MeshScene | null;
  step(): number | null;
  mode(): Mode;
  drawLine(points: readonly [number, number][]): void;
  drawn(): { frames: number; milliseconds: number };
}

export function probeFor({ root, stage, scene, step, mode, drawLine, drawn }: Asked) {
  function of<M extends Mode>(kind: M): Extract<MeshScene, { mode: M }> | null {
    const now = scene();
    return now?.mode === kind ? (now as Extract<MeshScene, { mode: M }>) : null;
  }
  const client = (id: string) => (scene() ? stage.clientBox(id) : null);

  return {
    mode,
    step,
    layer: () => root.dataset.layer ?? null,
    message() {
      const message = root.querySelector<HTMLElement>(".kw-message");
      return message && !message.hidden ? (message.textContent ?? "") : "";
    },
    /** The n × n values of function f. */
    heat(f: number) {
      const now = of("ramp");
      if (!now) return null;
      const { ramp, curves } = now;
      return { width: ramp.n, height: ramp.n, data: Array.from(matrixOf(ramp, curves, f)) };
    },
    /** The cell of function f in client pixels. */
    rectOf: (f: number) => (of("ramp") ? client(String(f)) : null),
    scaleOf: (f: number) => of("ramp")?.scaleOf(f) ?? null,
    hovered: () => of("ramp")?.hovered ?? -1,
    /** The surface as it is drawn; y rises with the rows. */
    pair() {
      const pair = of("pair")?.pair;
      if (!pair) return null;
      const { functions, surface, levels, density } = pair;
      const [x, y, values] = [surface.x, surface.y, surface.values].map((part) => Array.from(part));
      const seen = density && { most: density.most, outside: density.outside };
      return { i: functions[0], j: functions[1], x, y, values, levels, density: seen };
    },
    /** Client pixels of an entry on the map of the kernel. */
    entryRect(entry: number) {
      const pair = of("pair")?.pair;
      if (!pair) return null;
      const { columns } = pair.group;
      return client(`kernel/${Math.floor(entry / columns)}/${entry % columns}`);
    },
    plotRect: () => (of("pair") ? client("plot") : null),
    response(output: number) {
      const now = of("response");
      if (!now || output >= now.response.swept.outputs) return null;
      const { swept, grids } = now.response;
      const { width, height, data } = grids.get(output) ?? respond(now.frame, swept, output);
      return { width, height, data: Array.from(data) };
    },
    input() {
      const image = of("response")?.response.image;
      if (!image) return null;
      const { channels, height, width, data } = image;
      return { channels, height, width, data: Array.from(data) };
    },
    /** The pixel that is pointed at or kept. */
    probe() {
      const response = of("response")?.response;
      if (!response || response.by === "itself") return null;
      const { place, swept, kernel, grids } = response;
      const { row, column, output } = place;
      const value = grids.get(output)?.data[row * swept.width + column];
      if (value === undefined) return null;
      return { ...place, patch: Array.from(patchAt(swept, row, column, kernel.channel)), value };
    },
    inputRect() {
      const now = of("response");
      return now && stage.clientRect(now.layout.image);
    },
    thumbnail(image: number) {
      const columns = of("response")?.layout.thumbnails?.columns ?? 1;
      return client(`image/${Math.floor(image / columns)}/${image % columns}`);
    },
    mapRect: (output: number) => client(`map/${output}`),
    patchCell(entry: number) {
      const columns = of("response")?.layer.shape[3] ?? 1;
      return client(`cell/${Math.floor(entry / columns)}/${entry % columns}`);
    },
    /** Draws through points in pixels of the image. */
    draw: drawLine,
    /** How often a frame has been drawn and how long the last drawing took. */
    drawn,
  };
}

export interface MeshElement extends HTMLElement {
  kwView: ReturnType<typeof probeFor>;
}
