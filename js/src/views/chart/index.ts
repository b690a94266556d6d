/** The bar of a chart and what the mouse does over its bqplot figures: values at a step, zoom. Works without the kernel. */

import type { AnyModel, RenderProps } from "@anywidget/types";
import { formatCount } from "../../phi/format.ts";
import { describe } from "../../shell/alternative.ts";
import { watchKernel } from "../../shell/kernel.ts";
import { keepKeys, plainKey, used } from "../../shell/keys.ts";
import { inJupyter, themeAround, watchTheme } from "../../shell/theme.ts";
import { createBar } from "./bar.ts";
import { curvesOf, dragged, type Span, scaled, stepAt } from "./curves.ts";
import { createOverlay, type Overlay } from "./overlay.ts";

export interface PanelTrait {
  title: string;
  names: string[];
  colours: number[];
  raw: string;
  smooth: string;
  y: string;
  figure: string;
}

export interface ChartTraits {
  panels: PanelTrait[];
  /** Of each panel, the value that each curve was given last. */
  latest: string[][];
  steps: string;
  marks: [number, string][];
  zoom: number[];
  scale: string;
  smoothing: number;
  theme: "auto" | "light" | "dark";
  [name: string]: unknown;
}

interface Shown {
  trait: PanelTrait;
  raw: AnyModel;
  smooth: AnyModel;
  overlay: Overlay | null;
  figure: HTMLElement | null;
}

const TRAITS = ["latest", "marks", "zoom", "scale", "smoothing", "theme"] as const;
/** A drag shorter than this is a click. */
const LEAST = 5;
/** bqplot lays a figure out again so long after its size has changed. */
const RELAYOUT = 450;
const TRIES = 100;

function render({ model, el, signal }: RenderProps<ChartTraits>): void {
  const document = el.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const root = document.createElement("div");
  root.className = "kw-chart-tools";
  keepKeys(root, signal);
  const bar = createBar(
    document,
    {
      scale: (value) => choose("scale", value),
      smoothing: (value) => choose("smoothing", value),
      zoom: (factor) => zoomTo(scaled(span(), factor)),
      all: () => zoomTo(null),
    },
    signal,
  );
  const spoken = document.createElement("div");
  spoken.className = "kw-spoken";
  spoken.setAttribute("aria-live", "polite");
  root.append(bar.element, spoken);
  el.append(root);

  let steps: AnyModel | null = null;
  let panels: Shown[] = [];
  let connection = new AbortController();
  let request = 0;
  let tries = 0;
  let connected = true;
  let pointed: number | null = null;
  /** The panel that the keyboard reads, until that has been said. */
  let read: Overlay | null = null;
  let drag: { from: number; to: number; on: Overlay } | null = null;
  const sizes = new ResizeObserver(() => setTimeout(schedule, RELAYOUT));

  const box = () => el.closest<HTMLElement>(".kw-chart");

  function choose(trait: string, value: unknown) {
    model.set(trait, value);
    model.save_changes();
    schedule();
  }

  function zoomed(): Span | null {
    const zoom = model.get("zoom") ?? [];
    return zoom.length === 2 && zoom[0] < zoom[1] ? [zoom[0], zoom[1]] : null;
  }

  function span(): Span {
    return [Number(steps?.get("min") ?? 0), Number(steps?.get("max") ?? 1)];
  }

  function zoomTo(next: Span | null) {
    choose("zoom", next ? [...next] : []);
    enforce();
  }

  /** The kernel may be busy, or have sent the steps of before: what the user chose is shown at once. */
  function enforce() {
    const wanted = zoomed();
    const [low, high] = span();
    if (!steps || !wanted || (low === wanted[0] && high === wanted[1])) return;
    const scale = steps as unknown as { set(values: Record<string, number>): void };
    scale.set({ min: wanted[0], max: wanted[1] });
  }

  function schedule() {
    if (!request && !signal.aborted) request = window.requestAnimationFrame(paint);
  }

  function paint() {
    request = 0;
    const place = box();
    if (!place) {
      // The page may put this view in before what it belongs to.
      if (tries++ < TRIES) schedule();
      return;
    }
    const theme = model.get("theme");
    place.dataset.kwTheme = theme === "light" || theme === "dark" ? theme : themeAround(el);
    if (theme === "auto" && inJupyter(document)) place.dataset.kwHost = "jupyter";
    else delete place.dataset.kwHost;
    bar.show({
      scale: model.get("scale"),
      smoothing: model.get("smoothing"),
      connected,
      zoomed: zoomed() !== null,
    });
    root.hidden = panels.length === 0;
    panels.forEach((panel, k) => {
      attach(panel, place);
      panel.overlay?.paint({
        ...panel.trait,
        latest: model.get("latest")?.[k] ?? [],
        curves: curvesOf(panel.raw.get("x"), panel.raw.get("y")),
        means: curvesOf(panel.smooth.get("x"), panel.smooth.get("y")),
        marks: model.get("marks") ?? [],
        span: span(),
        step: drag ? null : pointed,
        band: drag && [drag.from, drag.to],
      });
      if (panel.figure && panel.overlay) name(panel.figure, panel.trait.title, panel.overlay);
    });
    if (read) spoken.textContent = read.words();
    read = null;
  }

  /** The figure's text alternative. */
  function name(figure: HTMLElement, title: string, overlay: Overlay) {
    const [low, high] = span().map((step) => formatCount(Math.round(step)));
    describe(
      figure,
      `Curves of ${title}, steps ${low} to ${high}; ${overlay.words()}. ` +
        "Left and right arrow read them out, plus and minus zoom, 0 shows all steps.",
      title,
    );
  }

  /** Puts the overlay over a figure when that is on the page. */
  function attach(panel: Shown, place: HTMLElement) {
    const figure = place.querySelector<HTMLElement>(`.kw-figure-${panel.trait.figure}`);
    if (figure === panel.figure && panel.overlay) return;
    panel.overlay?.element.remove();
    panel.figure = figure;
    panel.overlay = null;
    if (!figure) {
      if (tries++ < TRIES) setTimeout(schedule, 100);
      return;
    }
    tries = 0;
    figure.tabIndex = 0;
    figure.setAttribute("role", "application");
    const overlay = createOverlay(figure);
    panel.overlay = overlay;
    sizes.observe(figure);
    listen(figure, overlay, connection.signal);
    // bqplot draws a new figure some time after it is on the page.
    setTimeout(schedule, RELAYOUT);
  }

  function listen(figure: HTMLElement, overlay: Overlay, mine: AbortSignal) {
    const share = (event: MouseEvent) => {
      const area = overlay.plot();
      return area ? (event.clientX - area.left) / area.width : Number.NaN;
    };
    const inside = (event: MouseEvent) => {
      const area = overlay.plot();
      const at = share(event);
      return (
        area && at >= 0 && at <= 1 && event.clientY >= area.top && event.clientY <= area.bottom
      );
    };
    const options = { signal: mine };
    figure.addEventListener(
      "pointermove",
      (event) => {
        if (drag) drag.to = Math.min(1, Math.max(0, share(event)));
        pointed = inside(event) ? stepAt(span(), share(event)) : null;
        schedule();
      },
      options,
    );
    figure.addEventListener(
      "pointerleave",
      () => {
        pointed = null;
        schedule();
      },
      options,
    );
    figure.addEventListener(
      "pointerdown",
      (event) => {
        if (event.button !== 0 || !inside(event)) return;
        const from = share(event);
        drag = { from, to: from, on: overlay };
        figure.setPointerCapture(event.pointerId);
        event.preventDefault();
      },
      options,
    );
    figure.addEventListener(
      "pointerup",
      () => {
        if (!drag) return;
        const area = overlay.plot();
        const next = area && dragged(span(), drag.from, drag.to, LEAST / area.width);
        drag = null;
        if (next) zoomTo(next);
        schedule();
      },
      options,
    );
    figure.addEventListener(
      "pointercancel",
      () => {
        drag = null;
        schedule();
      },
      options,
    );
    figure.addEventListener(
      "keydown",
      (event) => {
        if (!plainKey(event)) return;
        const [low, high] = span();
        const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (sign) {
          const by = sign * Math.max(1, ((high - low) * (event.shiftKey ? 10 : 2)) / 100);
          const to = pointed === null ? (low + high) / 2 : pointed + by;
          if (zoomed() && (to < low || to > high)) zoomTo([low + by, high + by]);
          const [least, most] = span();
          pointed = Math.round(Math.max(least, Math.min(most, to)));
        } else if (event.key === "+" || event.key === "=") zoomTo(scaled([low, high], 0.5));
        else if (event.key === "-" && zoomed()) zoomTo(scaled([low, high], 2));
        else if (event.key === "0") zoomTo(null);
        else if (event.key === "Escape") pointed = null;
        else return;
        read = overlay;
        used(event);
        schedule();
      },
      options,
    );
    figure.addEventListener(
      "blur",
      () => {
        pointed = null;
        schedule();
      },
      options,
    );
    figure.addEventListener(
      "dblclick",
      (event) => {
        if (inside(event)) zoomTo(null);
      },
      options,
    );
  }

  async function connect() {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    const find = (id: string) => model.widget_manager.get_model(id);
    const traits = model.get("panels") ?? [];
    const scale = await find(model.get("steps"));
    const found = await Promise.all(
      traits.map(async (trait) => ({
        trait,
        raw: await find(trait.raw),
        smooth: await find(trait.smooth),
        overlay: null,
        figure: null,
      })),
    );
    if (mine.aborted || signal.aborted) return;
    for (const { overlay } of panels) overlay?.element.remove();
    steps = scale;
    panels = found;
    tries = 0;
    const meet = (there: boolean) => {
      connected = there;
      schedule();
    };
    void watchKernel(model, model.get("steps"), meet, mine);
    hear(scale, ["change:min", "change:max"], enforceAndSchedule, mine);
    for (const { raw, smooth } of found) {
      hear(raw, ["change:y", "change:x"], schedule, mine);
      hear(smooth, ["change:y", "change:x"], schedule, mine);
    }
    enforceAndSchedule();
  }

  function enforceAndSchedule() {
    enforce();
    schedule();
  }

  function hear(from: AnyModel, events: string[], fn: () => void, mine: AbortSignal) {
    for (const event of events) {
      from.on(event, fn);
      mine.addEventListener("abort", () => from.off(event, fn), { once: true });
    }
  }

  const reconnect = () => {
    connect().catch((error) => {
      if (!signal.aborted) console.warn("kan_widgets: the curves cannot be read", error);
    });
  };
  hear(model, ["change:panels", "change:steps"], reconnect, signal);
  hear(
    model,
    TRAITS.map((trait) => `change:${trait}`),
    enforceAndSchedule,
    signal,
  );
  watchTheme(el, schedule, signal);
  signal.addEventListener(
    "abort",
    () => {
      connection.abort();
      sizes.disconnect();
      window.cancelAnimationFrame(request);
      for (const { overlay } of panels) overlay?.element.remove();
    },
    { once: true },
  );
  schedule();
  reconnect();
}

export default { render };
