/** Reading, zooming and smoothing curves over steps: by pointer, keys and controls. */

import { formatCount } from "../phi/format.ts";
import { linear, type Range } from "../scene/axes.ts";
import { type Chart, type ChartHands, type ChartLayout, legendEntries } from "../scene/chart.ts";
import { zoomOf } from "../scene/logged.ts";
import type { Point } from "../scene/marks.ts";
import type { Drag } from "./drag.ts";
import { element, listen } from "./element.ts";
import { plainKey } from "./keys.ts";
import type { Shell } from "./mount.ts";
import { createOptions, entries, type Option } from "./options.ts";
import type { Hands, Stage } from "./stage.ts";

/** Pixels of the shortest drag: a shorter one is a click. */
const LEAST_DRAG = 5;

export type ChartControl = ReturnType<typeof createChartHands>;

/** `to.hands` is what the next drawing shows. */
export function createChartHands(
  shell: Shell,
  drawing: () => { chart: Chart; layout: ChartLayout } | null,
  target: { hands: ChartHands },
) {
  /** The step under a place of the scene; null beside the plots. */
  function stepAt(at: Point, near = false): number | null {
    const layout = drawing()?.layout;
    for (const { box, plot } of layout?.places ?? []) {
      const inside = at.x >= plot.x && at.x <= plot.x + plot.width;
      const over = at.y >= box.y && at.y <= box.y + box.height;
      if (!layout || !over || !(inside || near)) continue;
      const x = Math.max(plot.x, Math.min(plot.x + plot.width, at.x));
      const { from, to } = layout.steps;
      return linear({ from: plot.x, to: plot.x + plot.width }, from, to)(x);
    }
    return null;
  }

  /** Reads the values at a step; null for the latest. */
  function point(step: number | null) {
    target.hands = { ...target.hands, step };
    shell.schedule();
  }

  /** A drag over some steps chooses them. */
  function band(from: Point): Drag | null {
    const start = stepAt(from);
    if (start === null) return null;
    let last = from;
    return {
      move(at: Point) {
        last = at;
        target.hands = { step: null, band: [start, stepAt(at, true) ?? start] };
        shell.schedule();
      },
      end() {
        const chosen = target.hands.band;
        target.hands = { step: null, band: null };
        if (chosen && Math.abs(last.x - from.x) >= LEAST_DRAG) {
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
    const steps = drawing()?.layout.steps;
    if (!steps) return;
    const { from, to } = steps;
    const half = Math.max(1, ((to - from) / 2) * factor);
    zoomTo({ from: (from + to) / 2 - half, to: (from + to) / 2 + half });
  }

  /** True where the key was used. */
  function key(event: KeyboardEvent): boolean {
    const steps = drawing()?.layout.steps;
    if (!steps || !plainKey(event)) return false;
    const { from, to: end } = steps;
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (sign) {
      const by = sign * Math.max(1, ((end - from) * (event.shiftKey ? 10 : 2)) / 100);
      const { step } = target.hands;
      const wanted = Math.round(step === null ? (from + end) / 2 : step + by);
      const zoomed = zoomOf(shell.get("zoom")) !== null;
      if (zoomed && (wanted < from || wanted > end)) zoomTo({ from: from + by, to: end + by });
      const next = zoomed ? wanted : Math.max(from, Math.min(end, wanted));
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

  /** The latest values, or those at the step that is read: "loss 0.31". */
  function values(): string[] {
    const shown = drawing();
    if (!shown) return [];
    return shown.chart.panels.flatMap((panel) =>
      legendEntries(panel, shown.layout.steps, target.hands.step).map(
        ({ name, value }) => `${name || panel.title} ${value}`,
      ),
    );
  }

  const showAll = () => zoomTo(null);

  return {
    stepAt,
    showAll,
    /** The hands of a stage of curves: what pointer and keyboard do. */
    on: (pointed: () => Point | null): Hands => ({
      moved() {
        const at = pointed();
        if (at) point(stepAt(at));
        else shell.schedule();
      },
      press() {},
      left: () => point(null),
      grab: (_, at) => band(at),
      twice: showAll,
      keyFirst: key,
    }),
    forTests: ({ clientRect }: Stage) => ({
      values,
      /** Where a panel's plot lies, in client pixels. */
      plot(panel: number) {
        const { plot } = drawing()?.layout.places[panel] ?? {};
        return plot ? clientRect(plot) : null;
      },
    }),
  };
}

const SMOOTHINGS = [0, 10, 30, 100, 300, 1000];

const OPTIONS: readonly Option<Shell["get"]>[] = [
  {
    trait: "scale",
    label: "y axis",
    title:
      "Of the values; auto is logarithmic for a loss or an error, unless one was 0 or less; else linear",
    options: entries(["auto", "linear", "log"]),
    value: (get) => String(get("scale") ?? "linear"),
  },
  {
    trait: "smoothing",
    label: "smooth",
    title:
      "Draw the trend as a line: at each step the straight line that fits the values of so many steps around it best; the logged values stay behind it",
    options(get) {
      const steps = new Set([...SMOOTHINGS, Number(get("smoothing"))]);
      const words = (n: number) => (n > 1 ? `${formatCount(n)} steps` : "off");
      return [...steps].sort((a, b) => a - b).map((n) => ({ value: String(n), label: words(n) }));
    },
    value: (get) => String(Number(get("smoothing"))),
    chosen: Number,
  },
];

/** Controls for scale and smoothing of the curves, and a button that shows all steps again. */
export function createChartBar(shell: Shell, { showAll }: Pick<ChartControl, "showAll">) {
  const options = createOptions(shell, OPTIONS);
  const root = element(shell.document, "span", "kw-options");
  const title = "Show all steps again; or double-click";
  const allButton = options.kit.button("all steps", title, "kw-button", showAll);
  root.append(...options.boxes, allButton);
  return {
    element: root,
    show(get: Shell["get"]) {
      options.show(get);
      allButton.hidden = zoomOf(get("zoom")) === null;
    },
  };
}

/** Zooms by the wheel with Ctrl or ⌘ held, where `zoom` says so; else the page scrolls. */
export function takeWheel(
  plot: HTMLElement,
  zoom: (event: WheelEvent) => (() => void) | null,
  signal: AbortSignal,
): void {
  function wheel(event: WheelEvent) {
    if (!event.ctrlKey && !event.metaKey) return;
    // The browser would zoom the whole page.
    event.preventDefault();
    event.stopPropagation();
    zoom(event)?.();
  }
  listen(plot, signal, { wheel }, { passive: false });
}
