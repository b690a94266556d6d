/** TrainingPanel: reading the curves at a step, and choosing the steps that are seen. */

import { formatCount } from "../../phi/format.ts";
import { linear, type Range } from "../../scene/axes.ts";
import { entriesOf } from "../../scene/chart.ts";
import type { Point } from "../../scene/marks.ts";
import { plainKey } from "../../shell/keys.ts";
import type { Shell } from "../../shell/mount.ts";
import type { drawing, PanelScene } from "./scene.ts";
import { zoomOf } from "./traits.ts";

/** A drag over fewer pixels is a click. */
const LEAST = 5;

export function createHands(
  shell: Shell,
  draw: ReturnType<typeof drawing>,
  scene: () => PanelScene | null,
) {
  /** The step under a place of the scene; null beside the plots. */
  function stepAt(at: Point, near = false): number | null {
    const layout = scene()?.layout;
    if (!layout) return null;
    for (const { box, plot } of layout.places) {
      const inside = at.x >= plot.x && at.x <= plot.x + plot.width;
      const over = at.y >= box.y && at.y <= box.y + box.height;
      if (!over || !(inside || near)) continue;
      const x = Math.max(plot.x, Math.min(plot.x + plot.width, at.x));
      return linear(
        { from: plot.x, to: plot.x + plot.width },
        layout.steps.from,
        layout.steps.to,
      )(x);
    }
    return null;
  }

  function point(step: number | null) {
    draw.hands = { ...draw.hands, step };
    shell.schedule();
  }

  /** A drag over some steps chooses them. */
  function band(from: Point) {
    const start = stepAt(from);
    if (start === null) return null;
    let last = from;
    return {
      move(at: Point) {
        last = at;
        draw.hands = { step: null, band: [start, stepAt(at, true) ?? start] };
        shell.schedule();
      },
      end() {
        const chosen = draw.hands.band;
        draw.hands = { step: null, band: null };
        if (chosen && Math.abs(last.x - from.x) >= LEAST) {
          const [low, high] = [...chosen].sort((a, b) => a - b);
          zoomTo({ from: low, to: high });
        }
        shell.schedule();
      },
    };
  }

  function zoomTo(next: Range | null) {
    shell.choose("zoom", next ? [next.from, next.to] : []);
  }

  function zoomBy(factor: number) {
    const steps = scene()?.layout.steps;
    if (!steps) return;
    const { from, to } = steps;
    const half = Math.max(1, ((to - from) / 2) * factor);
    zoomTo({ from: (from + to) / 2 - half, to: (from + to) / 2 + half });
  }

  function key(event: KeyboardEvent): boolean {
    const steps = scene()?.layout.steps;
    if (!steps || !plainKey(event)) return false;
    const { from, to } = steps;
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (sign) {
      const by = sign * Math.max(1, ((to - from) * (event.shiftKey ? 10 : 2)) / 100);
      const { step } = draw.hands;
      const wanted = Math.round(step === null ? (from + to) / 2 : step + by);
      const zoomed = zoomOf(shell.get("zoom")) !== null;
      if (zoomed && (wanted < from || wanted > to)) zoomTo({ from: from + by, to: to + by });
      const next = zoomed ? wanted : Math.max(from, Math.min(to, wanted));
      point(next);
      shell.speak([`step ${formatCount(next)}`, ...values()].join(", "));
    } else if (event.key === "+" || event.key === "=") zoomBy(0.5);
    else if (event.key === "-") {
      if (zoomOf(shell.get("zoom"))) zoomBy(2);
    } else if (event.key === "0") zoomTo(null);
    else if (event.key === "Escape") point(null);
    else return false;
    return true;
  }

  /** The latest values, or those at the step that is read. */
  function values(): string[] {
    const now = scene();
    if (!now) return [];
    const { chart, layout } = now;
    return chart.panels.flatMap((panel) =>
      entriesOf(panel, layout.steps, draw.hands.step).map(
        ({ name, value }) => `${name || panel.title} ${value}`,
      ),
    );
  }

  return {
    /** Reads at a place of the scene; null reads nothing. */
    over: (at: Point | null) => point(at && stepAt(at)),
    band,
    key,
    values,
    zoomBy,
    zoomOut: () => zoomTo(null),
  };
}
