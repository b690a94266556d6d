/** The view: wires a store and the traits to the drawing, the header, the tooltip and the keyboard. */

import type { AnyModel, Host } from "@anywidget/types";
import { describe } from "../shared/alternative.ts";
import type { Plan } from "../shared/curves.ts";
import { element, put } from "../shared/element.ts";
import { entryText, functionOf, layerTitle, selectionOf } from "../shared/entries.ts";
import {
  type Arrangement,
  arrange,
  cellAt,
  neighbour,
  rectOf,
  underHead,
} from "../shared/geometry.ts";
import { DIRECTIONS, keepKeys, plainKey, used } from "../shared/keys.ts";
import { chooseInLinked, isLinked } from "../shared/linked.ts";
import { createPace } from "../shared/pace.ts";
import { paletteOf } from "../shared/palette.ts";
import { createSave } from "../shared/save.ts";
import { mountScrubber } from "../shared/scrubber.ts";
import { createStatus } from "../shared/status.ts";
import { inJupyter, readColours, themeAround, watchTheme } from "../shared/theme.ts";
import { createTip } from "../shared/tip.ts";
import type { Change, Frame, LayerLayout, Store } from "../shared/types.ts";
import { createUnseen } from "../shared/unseen.ts";
import { createCaption } from "./caption.ts";
import { createHeader } from "./controls.ts";
import { COLOURS, createGround, paint, xAt } from "./draw.ts";
import { type Picture, pictureMaker, sortedOrder } from "./picture.ts";
import { type Scores, scoresReader, valuesOf } from "./scores.ts";
import { type Settings, settingsOf, type Traits } from "./settings.ts";
import type { Subject } from "./subject.ts";
import { description, hoverLines, selectionText } from "./words.ts";

/** What tests and other tools may ask of a view, as `element.kwGrid`. */
export interface GridProbe {
  step(): number | null;
  layer(): string | null;
  arrangement(): Arrangement | null;
  /** The points of function f as they are drawn. */
  curve(f: number): { x: number[]; y: number[] } | null;
  /** The points of function f as they are drawn behind it; null where nothing is. */
  ghost(f: number): { step: number; x: number[]; y: number[] } | null;
  /** The cell of function f in client pixels. */
  rectOf(f: number): { x: number; y: number; width: number; height: number } | null;
  /** Half the height of the axis of function f. */
  yScale(f?: number): number | null;
  /** Where function f is largest, or smallest, and φ there; null in other modes. */
  preferred(f: number): { x: number; value: number; grey: number } | null;
  hovered(): number;
  selected(): number;
  /** How often a frame has been drawn and how long the last drawing took. */
  drawn(): { frames: number; milliseconds: number };
}

export interface GridElement extends HTMLElement {
  kwGrid: GridProbe;
}

export interface View {
  message(text: string, tone: "calm" | "warn"): void;
  connect(store: Store, stream: string, signal: AbortSignal): void;
}

const TRAITS = [
  "layer",
  "mode",
  "binarise",
  "suppressed",
  "bounds",
  "scale",
  "ghost",
  "x_range",
  "sort",
  "shade",
  "scores",
  "height",
  "theme",
] as const;

export function createView(
  model: AnyModel<Traits>,
  el: HTMLElement,
  signal: AbortSignal,
  host: Host | undefined,
): View {
  const document = el.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className: string) =>
    element(document, tag, className);

  const root = make("div", "kw-view kw-kernel-grid") as unknown as GridElement;
  keepKeys(root, signal);
  const viewport = make("div", "kw-viewport");
  const page = viewport.appendChild(make("div", "kw-page"));
  const canvas = page.appendChild(make("canvas", "kw-canvas"));
  const message = viewport.appendChild(make("div", "kw-message"));
  const time = make("div", "kw-time-place");
  const readout = make("div", "kw-readout");
  const spoken = make("div", "kw-spoken");
  const tip = createTip(document);
  const status = createStatus(document, schedule);
  const caption = createCaption(document, status.element, choose, signal);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Kernel grid, waiting for the kernel");
  message.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");
  const header = createHeader(document, choose, sortAgain, signal);
  const foot = make("div", "kw-readout-row");
  foot.append(
    readout,
    createSave(
      document,
      {
        root: () => root,
        name: () => `kernel-grid ${picture?.layer.name ?? ""} step ${drawnFrame?.step ?? ""}`,
        redraw() {
          ground.key = "";
          draw();
        },
      },
      signal,
    ),
  );
  root.append(header.element, caption.element, viewport, time, foot, spoken, tip.element);

  let store: Store | null = null;
  let stream = "";
  let picture: Picture | null = null;
  let made: readonly unknown[] = [];
  let order: { key: string; scored: Float32Array | null; kernels: number[] | null } | null = null;
  let pointer: { x: number; y: number } | null = null;
  let hovered = -1;
  let cursor = -1;
  let keyboard = false;
  /** Where the keyboard reads φ. */
  let readingX = 0;
  let drawnFrame: Frame | null = null;
  let frames = 0;
  let milliseconds = 0;
  let onScreen = true;
  let waiting = false;
  const makePicture = pictureMaker();
  const readScores = scoresReader();
  const ground = createGround(document);
  const context = canvas.getContext("2d");

  const pace = createPace(window, draw);
  const unseen = createUnseen(schedule);

  function schedule() {
    if (onScreen) pace.now();
    else waiting = true;
  }

  function choose(trait: string, value: string | boolean) {
    model.set(trait, value);
    model.save_changes();
    if (trait === "layer") chooseInLinked(model, host, String(value));
    schedule();
  }

  function sortAgain() {
    order = null;
    schedule();
  }

  function layers(): LayerLayout[] {
    return store?.current()?.layout.layers ?? [];
  }

  function currentLayer(): LayerLayout | null {
    const all = layers();
    return all.find(({ name }) => name === model.get("layer")) ?? all[0] ?? null;
  }

  function say(text: string, tone: "calm" | "warn") {
    message.hidden = text === "";
    message.dataset.tone = tone;
    put(message, text);
    if (text) {
      canvas.hidden = true;
      tip.hide();
      caption.clear();
      readout.textContent = "";
    }
  }

  function draw() {
    waiting = false;
    const theme = model.get("theme");
    const followed = theme !== "light" && theme !== "dark";
    setData("kwTheme", followed ? themeAround(el) : theme);
    setData("kwHost", followed && inJupyter(document) ? "jupyter" : null);
    if (!store) return;
    status.show(store);
    const settings = settingsOf((name) => model.get(name));
    const layer = currentLayer();
    const scores = readScores(model.get("scores"));
    const choices = { ...settings, layer: layer?.name ?? "" };
    header.show(choices, layers(), root.clientWidth, [...scores.keys()]);
    const frame = store.current();
    if (store.protocolError) {
      say(store.protocolError, "warn");
      return;
    }
    if (!frame || !layer) {
      say(frame ? "no layer to draw" : "waiting for the first frame…", "calm");
      return;
    }
    setData("layer", layer.name);
    if (viewport.clientWidth === 0 || !context) {
      unseen.hidden();
      return;
    }
    unseen.shown();
    say("", "calm");
    canvas.hidden = false;

    const start = performance.now();
    const width = layOut(frame, layer, settings, scores);
    const ghost = store.ghost();
    const asked = settings.bounds === "observed" || settings.mode === "pattern";
    const observed = asked ? store.observed(layer.name) : null;
    const from = [frame, ghost, observed, scores, layer, width, order, ...Object.values(settings)];
    if (!picture || !same(made, from)) {
      made = from;
      const kernels = order?.kernels ?? null;
      picture = makePicture(frame, layer, ghost, settings, width, kernels, observed, scores);
    }
    const { arrangement } = picture;
    const { scrollLeft, scrollTop, clientHeight } = viewport;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [viewport.clientWidth, clientHeight];
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
      canvas.style.width = `${w}px`;
      canvas.style.height = `${h}px`;
    }
    const selected = functionOf(layer, store.selection());
    const spot = pointer && { x: pointer.x + scrollLeft, y: pointer.y + scrollTop };
    const byKey = keyboard && !spot && cursor >= 0 && cursor < layer.count;
    const view = { x: scrollLeft, y: scrollTop, width: w, height: h };
    const covered = spot !== null && underHead(arrangement, view, spot.y);
    hovered = spot && !covered ? cellAt(arrangement, spot.x, spot.y) : byKey ? cursor : -1;
    let x: number | null = null;
    if (hovered >= 0) {
      x = spot
        ? xAt(picture, spot.x - rectOf(arrangement, hovered).x)
        : within(picture.xRange, readingX);
    }
    paint(
      context,
      picture,
      { hovered, selected, cursor: keyboard ? cursor : -1, x },
      {
        view,
        ratio,
        font: `10px ${getComputedStyle(root).fontFamily || "sans-serif"}`,
        colours: readColours(root, COLOURS),
        palette: palette(),
      },
      ground,
    );
    canvas.style.cursor = hovered >= 0 ? "pointer" : "";
    showTip(picture, x);
    showWords(picture, selected);
    if (frame !== drawnFrame) {
      drawnFrame = frame;
      frames++;
    }
    milliseconds = performance.now() - start;
  }

  /** Sizes viewport and page; returns the width that is left for the arrangement. */
  function layOut(frame: Frame, layer: LayerLayout, settings: Settings, scores: Scores): number {
    const key = `${layer.name}|${layer.shape}|${settings.sort}`;
    const scored = valuesOf(scores, settings.sort, layer);
    if (order?.key !== key || order.scored !== scored) {
      const ghost = store?.ghost() ?? null;
      const kernels = sortedOrder(settings.sort, settings.xRange, frame, layer, ghost, scored);
      order = { key, scored, kernels };
    }
    const [out, inputs, kh, kw] = layer.shape;
    const shape = { kind: layer.kind, out, in: inputs, kh, kw };
    const most = Math.max(96, Number(model.get("height")) || 480);
    const whole = viewport.offsetWidth;
    const scrolls = arrange(shape, whole, order.kernels).height > most;
    setStyle(viewport, "overflowY", scrolls ? "scroll" : "hidden");
    viewport.toggleAttribute("data-scrolls", scrolls);
    const width = viewport.clientWidth;
    const arrangement = arrange(shape, width, order.kernels);
    setStyle(viewport, "overflowX", arrangement.width > width ? "auto" : "hidden");
    setStyle(viewport, "height", `${Math.min(arrangement.height, most)}px`);
    setStyle(page, "height", `${arrangement.height}px`);
    setStyle(page, "width", `${arrangement.width}px`);
    return width;
  }

  function palette() {
    return paletteOf(root.dataset.kwTheme === "dark" ? "dark" : "light");
  }

  function showTip(from: Picture, x: number | null) {
    if (hovered < 0 || x === null) {
      tip.hide();
      return;
    }
    const { arrangement, layer } = from;
    const cell = rectOf(arrangement, hovered);
    tip.show(
      `${layerTitle(layer)} · ${entryText(layer, hovered)}`,
      hoverLines(from, hovered, x),
      {
        ...cell,
        x: cell.x - viewport.scrollLeft + viewport.offsetLeft,
        y: cell.y - viewport.scrollTop + viewport.offsetTop,
      },
      { width: root.clientWidth, height: time.offsetTop },
    );
  }

  function showWords(from: Picture, selected: number) {
    caption.show(from, store?.cursor() ?? -1, selected, palette());
    const text =
      selected >= 0
        ? selectionText(from, selected)
        : "Click a function to select it, or use the arrow keys and Enter.";
    if (readout.textContent !== text) {
      readout.textContent = text;
      readout.title = selected >= 0 ? text : "";
    }
    readout.toggleAttribute("data-selected", selected >= 0);
    const key = JSON.stringify([from.layer.name, from.layer.shape, from.settings, selected]);
    describe(canvas, description(from, selected), key);
  }

  function select(f: number) {
    if (!picture || f < 0) return;
    cursor = f;
    store?.select(selectionOf(picture.layer, f));
    schedule();
  }

  function onKey(event: KeyboardEvent) {
    if (!picture || !plainKey(event)) return;
    const { arrangement, layer } = picture;
    const selected = functionOf(layer, store?.selection() ?? null);
    const direction = DIRECTIONS[event.key];
    const sideways = direction === "left" || direction === "right";
    if (event.shiftKey && sideways && cursor >= 0) {
      const [lo, hi] = picture.xRange;
      const step = ((hi - lo) / 20) * (direction === "left" ? -1 : 1);
      readingX = within(picture.xRange, within(picture.xRange, readingX) + step);
      spoken.textContent = hoverLines(picture, cursor, readingX)
        .map(({ label, value }) => `${label} ${value}`)
        .join(", ");
    } else if (direction || event.key === "Home" || event.key === "End") {
      const from = cursor >= 0 && cursor < layer.count ? cursor : selected;
      if (event.key === "Home") cursor = 0;
      else if (event.key === "End") cursor = layer.count - 1;
      else if (!direction || from < 0) cursor = Math.max(0, from);
      else cursor = neighbour(arrangement, from, direction);
      keyboard = true;
      reveal(arrangement, cursor);
      spoken.textContent = selectionText(picture, cursor);
    } else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) {
      select(cursor);
      spoken.textContent = `selected: ${entryText(layer, cursor)}`;
    } else if (event.key === "Escape" && store?.selection()) {
      store.select(null);
      spoken.textContent = "selection cleared";
    } else return;
    pointer = null;
    used(event);
    schedule();
  }

  function reveal(arrangement: Arrangement, f: number) {
    const r = rectOf(arrangement, f);
    const margin = 24;
    const { scrollTop, clientHeight, scrollLeft, clientWidth } = viewport;
    if (r.y - margin < scrollTop) viewport.scrollTop = r.y - margin;
    else if (r.y + r.height + margin > scrollTop + clientHeight) {
      viewport.scrollTop = r.y + r.height + margin - clientHeight;
    }
    if (r.x - margin < scrollLeft) viewport.scrollLeft = r.x - margin;
    else if (r.x + r.width + margin > scrollLeft + clientWidth) {
      viewport.scrollLeft = r.x + r.width + margin - clientWidth;
    }
  }

  function onStore(what: Change) {
    if (what === "selection") follow();
    if (what === "frame" && onScreen) pace.soon();
    else schedule();
  }

  /** Shows the layer of a selection made elsewhere, unless another grid of this stream shows it already. */
  function follow() {
    const layer = store?.selection()?.layer;
    if (layer === undefined || layer === currentLayer()?.name) return;
    if (!layers().some(({ name }) => name === layer)) return;
    const grids = document.querySelectorAll<HTMLElement>(".kw-kernel-grid");
    const shown = Array.from(grids).some(
      ({ dataset }) => dataset.stream === stream && dataset.layer === layer,
    );
    if (!shown || isLinked(model)) choose("layer", layer);
  }

  function setData(name: string, value: string | null) {
    if (value === null) delete root.dataset[name];
    else if (root.dataset[name] !== value) root.dataset[name] = value;
  }

  const onLayer = () => {
    viewport.scrollTop = 0;
    cursor = -1;
    schedule();
  };

  for (const trait of TRAITS) model.on(`change:${trait}`, trait === "layer" ? onLayer : schedule);
  const here = (event: PointerEvent | MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener(
    "pointermove",
    (event) => {
      pointer = event.pointerType === "touch" ? null : here(event);
      schedule();
    },
    { signal },
  );
  canvas.addEventListener(
    "pointerleave",
    () => {
      pointer = null;
      schedule();
    },
    { signal },
  );
  canvas.addEventListener(
    "click",
    (event) => {
      const at = here(event);
      keyboard = false;
      const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = viewport;
      if (!picture || underHead(picture.arrangement, { x, y, width, height }, at.y + y)) return;
      select(cellAt(picture.arrangement, at.x + x, at.y + y));
    },
    { signal },
  );
  canvas.addEventListener("keydown", onKey, { signal });
  canvas.addEventListener(
    "blur",
    () => {
      keyboard = false;
      schedule();
    },
    { signal },
  );
  viewport.addEventListener("scroll", schedule, { signal, passive: true });
  window.addEventListener("resize", schedule, { signal });
  watchTheme(el, schedule, signal);
  const sizes = new ResizeObserver(schedule);
  sizes.observe(root);
  const sight = new IntersectionObserver(
    (entries) => {
      onScreen = entries[entries.length - 1].isIntersecting;
      if (onScreen && waiting) schedule();
    },
    { rootMargin: "200px" },
  );
  sight.observe(root);
  signal.addEventListener(
    "abort",
    () => {
      for (const trait of TRAITS) {
        model.off(`change:${trait}`, trait === "layer" ? onLayer : schedule);
      }
      sizes.disconnect();
      sight.disconnect();
      pace.stop();
      unseen.stop();
      status.stop();
      store = null;
      root.remove();
    },
    { once: true },
  );

  root.kwGrid = {
    step: () => drawnFrame?.step ?? null,
    layer: () => picture?.layer.name ?? null,
    arrangement: () => picture?.arrangement ?? null,
    curve: (f) => picture && points(picture.subject, picture.plan, f),
    ghost(f) {
      if (!picture?.ghost || !picture.initial) return null;
      const { subject, plan } = picture.ghost;
      return { step: picture.initial.frame.step, ...points(subject, plan, f) };
    },
    rectOf(f) {
      if (!picture) return null;
      const box = canvas.getBoundingClientRect();
      const r = rectOf(picture.arrangement, f);
      return {
        ...r,
        x: box.left + r.x - viewport.scrollLeft,
        y: box.top + r.y - viewport.scrollTop,
      };
    },
    yScale: (f = 0) => picture?.scaleOf(f) ?? null,
    preferred(f) {
      if (!picture?.preferred) return null;
      const { x, value } = picture.preferred;
      return { x: x[f], value: value[f], grey: picture.greys[f] };
    },
    hovered: () => hovered,
    selected: () => (picture ? functionOf(picture.layer, store?.selection() ?? null) : -1),
    drawn: () => ({ frames, milliseconds }),
  };
  el.append(root);
  setData("kwTheme", themeAround(el));

  return {
    message(text, tone) {
      store = null;
      say(text, tone);
      schedule();
    },
    connect(next, name, mine) {
      store = next;
      stream = name;
      picture = null;
      order = null;
      drawnFrame = null;
      setData("stream", name);
      const both = AbortSignal.any([mine, signal]);
      next.subscribe(onStore, both);
      mountScrubber(time, next, both);
      schedule();
    },
  };
}

function points(subject: Subject, plan: Plan, f: number): { x: number[]; y: number[] } {
  const out = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const n = subject.curve(f, plan, out);
  return { x: Array.from(out.x.subarray(0, n)), y: Array.from(out.y.subarray(0, n)) };
}

function setStyle(
  element: HTMLElement,
  name: "overflowX" | "overflowY" | "height" | "width",
  value: string,
) {
  if (element.style[name] !== value) element.style[name] = value;
}

function within([lo, hi]: readonly [number, number], x: number): number {
  return Math.max(lo, Math.min(hi, x));
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, k) => Object.is(value, b[k]));
}
