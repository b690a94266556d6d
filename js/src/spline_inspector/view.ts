/** The view: wires a store and the traits to the drawing, the legend, the handles and the keyboard. */

import type { AnyModel, Host } from "@anywidget/types";
import { describe } from "../shared/alternative.ts";
import { element, put } from "../shared/element.ts";
import { placeText, selectionOf } from "../shared/entries.ts";
import { number } from "../shared/format.ts";
import { keepKeys, plainKey, used } from "../shared/keys.ts";
import { chooseInLinked } from "../shared/linked.ts";
import { createPace } from "../shared/pace.ts";
import { probeOf } from "../shared/probe.ts";
import { createSave } from "../shared/save.ts";
import { mountScrubber } from "../shared/scrubber.ts";
import { createStatus } from "../shared/status.ts";
import { inJupyter, readColours, themeAround, watchTheme } from "../shared/theme.ts";
import type { Change, Command, Frame, LayerLayout, Selection, Store } from "../shared/types.ts";
import { createUnseen } from "../shared/unseen.ts";
import { takeWheel } from "../shared/wheel.ts";
import { createDots } from "./dots.ts";
import { COLOURS, type Colours, type Places, paint, placesIn } from "./draw.ts";
import { Gesture } from "./gesture.ts";
import { type Handle, heightOf, moved } from "./handles.ts";
import { createHeader } from "./header.ts";
import { createLegend } from "./legend.ts";
import { legendRows, makePicture, type Picture, sampler } from "./picture.ts";
import { createScore } from "./score.ts";
import {
  PARTS,
  type Part,
  samePlace,
  settingsOf,
  TRAITS,
  type Traits,
  type WireOverlay,
} from "./settings.ts";
import {
  type Phi,
  phiOf,
  type Range,
  type Reading,
  readAt,
  tableRange,
  wholeRange,
} from "./terms.ts";
import {
  fitted,
  fromX,
  fromY,
  inSight,
  roomy,
  shifted,
  toX,
  toY,
  wheelFactor,
  within,
  zoomed,
  zoomedWithin,
} from "./window.ts";
import { inputsText, rangeText, UNSEEN, windowText } from "./words.ts";

/** What tests and other tools may ask of a view, as `element.kwView`. */
export interface InspectorProbe {
  step(): number | null;
  selection(): Selection | null;
  /** A curve as drawn: "phi", "base", "spline", "ghost", "stack", "pin0", "overlay0", or a basis function's label. */
  curve(name: string): { x: number[]; y: number[] } | null;
  /** The middles of the control points, in client pixels. */
  controlPoints(): { label: string; x: number; y: number; value: number }[];
  readout(): (Omit<ReadoutNumbers, "terms"> & { terms: Record<string, number> }) | null;
  /** The part of the plane that is shown. */
  window(): { x: Range; y: Range } | null;
  /** Where a point of the plane lies, in client pixels. */
  place(x: number, y: number): { x: number; y: number } | null;
  coefficients(): number[] | null;
  drawn(): { frames: number; milliseconds: number };
}

type ReadoutNumbers = Reading;

export interface InspectorElement extends HTMLElement {
  kwView: InspectorProbe;
}

export interface View {
  message(text: string, tone: "calm" | "warn"): void;
  connect(store: Store, stream: string, signal: AbortSignal): void;
}

/** After this without an answer, it is said that the model has not got the value yet. */
const SLOW = 600;
/** How far y is zoomed at most, in and out, as a share of all that is drawn. */
const CLOSEST = 1e-4;
const FURTHEST = 20;
/** Narrower than this, the legend goes below the drawing. */
const BESIDE = 560;

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

  const root = make("div", "kw-view kw-spline-inspector") as unknown as InspectorElement;
  keepKeys(root, signal);
  const header = createHeader(
    document,
    {
      layer: (name) => {
        write("layer", name);
        chooseInLinked(model, host, name);
        const layer = layers().find((other) => other.name === name);
        if (layer) select(selectionOf(layer, 0));
      },
      select,
      neighbour,
      stacked: (value) => write("stacked", value),
      fit,
      pin: togglePin,
      command,
    },
    signal,
  );
  const caption = make("div", "kw-caption");
  const facts = caption.appendChild(make("span", "kw-facts"));
  const range = facts.appendChild(make("span", "kw-range"));
  const where = facts.appendChild(make("span", "kw-window"));
  const inputs = facts.appendChild(make("span", "kw-inputs"));
  const note = facts.appendChild(make("span", "kw-note"));
  const status = createStatus(document, schedule);
  caption.prepend(status.element);
  const body = make("div", "kw-body");
  const plot = body.appendChild(make("div", "kw-plot"));
  const canvas = plot.appendChild(make("canvas", "kw-canvas"));
  const dots = createDots(document);
  const handleLayer = plot.appendChild(dots.element);
  const message = plot.appendChild(make("div", "kw-message"));
  const side = body.appendChild(make("div", "kw-side"));
  const readout = side.appendChild(make("div", "kw-reading"));
  const readX = readout.appendChild(make("span", "kw-read"));
  const readPhi = readout.appendChild(make("span", "kw-read"));
  const readSlope = readout.appendChild(make("span", "kw-read"));
  const legend = createLegend(document, toggle, remove, signal);
  const score = createScore(document);
  side.append(legend.element, score.element);
  const foot = make("div", "kw-foot");
  const time = make("div", "kw-when");
  const spoken = make("div", "kw-spoken");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Spline inspector, waiting for the kernel");
  message.setAttribute("role", "status");
  foot.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");
  const name = () => {
    const at = picture?.at;
    const place = at ? `${at.layer} ${at.out}-${at.in}-${at.row}-${at.column}` : "";
    return `spline-inspector ${place} step ${drawnFrame?.step ?? ""}`;
  };
  const footRow = make("div", "kw-readout-row");
  footRow.append(foot, createSave(document, { root: () => root, name, redraw: draw }, signal));
  root.append(header.element, caption, body, footRow, time, spoken);

  let store: Store | null = null;
  let picture: Picture | null = null;
  let places: Places | null = null;
  let colours: Colours | null = null;
  let yShown: Range = [-1, 1];
  let xChosen: Range | null = null;
  let yChosen: Range | null = null;
  /** Where x is read: under the pointer, or where the keyboard has put it. */
  let reading: number | null = null;
  let shown: Reading | null = null;
  let dragged: { handle: Handle; from: Float64Array; moved: boolean } | null = null;
  let panned: { px: number; py: number; x: Range; y: Range } | null = null;
  let layerSeen = "";
  let drawnFrame: Frame | null = null;
  let frames = 0;
  let milliseconds = 0;
  let onScreen = true;
  let waiting = false;
  let later: ReturnType<typeof setTimeout> | undefined;
  const samplesOf = sampler();
  const context = canvas.getContext("2d");
  const pace = createPace(window, draw);
  const unseen = createUnseen(schedule);
  const gesture = new Gesture((at, coefficients, final) => store?.edit(at, coefficients, final));

  function schedule() {
    if (onScreen) pace.now();
    else waiting = true;
  }

  function again(milliseconds: number) {
    clearTimeout(later);
    later = setTimeout(schedule, milliseconds);
  }

  function write(trait: string, value: unknown) {
    model.set(trait, value);
    model.save_changes();
    schedule();
  }

  // ---- which function

  function layers(): readonly LayerLayout[] {
    return store?.current()?.layout.layers ?? [];
  }

  function place(): Selection | null {
    const frame = store?.current() ?? null;
    const chosen = store?.selection() ?? null;
    if (chosen && phiOf(frame, chosen)) return chosen;
    const all = layers();
    const layer = all.find(({ name }) => name === model.get("layer")) ?? all[0];
    return layer ? selectionOf(layer, 0) : null;
  }

  function select(at: Selection) {
    endDrag();
    store?.select(at);
    schedule();
  }

  function neighbour(step: number) {
    const at = place();
    const phi = phiOf(store?.current() ?? null, at);
    if (!phi) return;
    const { count } = phi.layer;
    const next = selectionOf(phi.layer, (phi.f + step + count) % count);
    select(next);
    spoken.textContent = placeText(phi.layer, next);
  }

  // ---- what is drawn

  function toggle(key: string) {
    if (key.startsWith("overlay:")) {
      const number = Number(key.slice(8));
      const change = (one: WireOverlay) => ({ ...one, shown: one.shown === false });
      write(
        "overlays",
        model.get("overlays").map((one, k) => (k === number ? change(one) : one)),
      );
      return;
    }
    if (key.startsWith("pin:")) {
      const at = settings().pins[Number(key.slice(4))];
      if (at) select(at);
      return;
    }
    if (key.startsWith("b:")) {
      const label = key.slice(2);
      const { show, hidden } = settings();
      const others =
        picture?.phi.layer.labels.filter((_, b) => !picture?.phi.layer.isBase[b]) ?? [];
      if (!show.has("basis")) {
        // Of those that are all off, this one comes.
        model.set(
          "hidden",
          others.filter((other) => other !== label),
        );
        write("show", ordered(new Set([...show, "basis" as Part])));
        return;
      }
      const next = new Set(hidden);
      if (!next.delete(label)) next.add(label);
      write("hidden", [...next]);
      return;
    }
    const { show, hidden } = settings();
    const next = new Set(show);
    const part = key as Part;
    if (part === "basis" && next.has(part) && hidden.size > 0) {
      write("hidden", []);
      return;
    }
    if (!next.delete(part)) next.add(part);
    if (part === "basis" && next.has(part)) model.set("hidden", []);
    write("show", ordered(next));
  }

  const ordered = (parts: ReadonlySet<Part>) => PARTS.filter((part) => parts.has(part));

  function settings() {
    return settingsOf((name) => model.get(name));
  }

  function togglePin() {
    const at = place();
    if (!at) return;
    const { pins } = settings();
    const others = pins.filter((pin) => !samePlace(pin, at));
    write("pins", others.length < pins.length ? others : [...pins, at]);
  }

  function remove(key: string) {
    const number = Number(key.slice(key.indexOf(":") + 1));
    if (key.startsWith("overlay:")) {
      write(
        "overlays",
        model.get("overlays").filter((_, k) => k !== number),
      );
      return;
    }
    write(
      "pins",
      settings().pins.filter((_, k) => k !== number),
    );
  }

  // ---- editing

  function command(kind: Command) {
    const at = place();
    if (!store || !at) return;
    endDrag();
    gesture.drop();
    if (kind === "undo" || kind === "redo") store.command(kind);
    else store.command(kind, at);
    schedule();
  }

  function canEdit(layer: LayerLayout): boolean {
    return settings().editable && layer.locked === "" && isOpen() && (store?.cursor() ?? -1) < 0;
  }

  function isOpen(): boolean {
    const state = store?.status().state;
    return state === "live" || state === "idle";
  }

  function take(handle: Handle) {
    if (!picture) return;
    dragged = { handle, from: picture.phi.coefficients.slice(), moved: false };
  }

  function pull(height: number) {
    if (!dragged || !picture || !Number.isFinite(height)) return;
    dragged.moved = true;
    const next = moved(picture.phi.coefficients, dragged.handle, height);
    gesture.move(picture.at, next, performance.now());
    schedule();
  }

  function endDrag() {
    if (!dragged) return;
    dragged = null;
    gesture.end(performance.now());
    schedule();
  }

  function nudge(handle: Handle, share: number) {
    if (!picture) return;
    if (!dragged) take(handle);
    const step = (yShown[1] - yShown[0]) * 0.01 * share;
    const height = heightOf(handle, picture.phi.coefficients) + step;
    pull(height);
    // What the next key adds to, before anything is drawn.
    const next = gesture.coefficients();
    if (next) picture.phi.coefficients = next;
    spoken.textContent = `${handle.label} ${number(height / handle.rise)}`;
  }

  // ---- drawing

  function say(text: string, tone: "calm" | "warn") {
    message.hidden = text === "";
    message.dataset.tone = tone;
    put(message, text);
    if (!text) return;
    canvas.hidden = true;
    handleLayer.hidden = true;
    picture = null;
  }

  function draw() {
    waiting = false;
    const asked = model.get("theme");
    const followed = asked !== "light" && asked !== "dark";
    const theme = followed ? themeAround(el) : asked;
    setData("kwTheme", theme);
    setData("kwHost", followed && inJupyter(document) ? "jupyter" : null);
    plot.style.height = `${Math.max(160, Number(model.get("height")) || 380)}px`;
    setData("kwNarrow", root.clientWidth < BESIDE ? "true" : null);
    if (!store) return;
    const now = performance.now();
    status.show(store);
    const given = settings();
    const at = place();
    const frame = store.current();
    if (store.protocolError || !frame || !at) {
      showHeader(null, null, given);
      if (store.protocolError) say(store.protocolError, "warn");
      else say(frame ? "no layer to draw" : "waiting for the first frame…", "calm");
      return;
    }
    const phi = presentPhi(frame, at, now);
    if (!phi) return;
    showHeader(phi.layer, at, given);
    if (plot.clientWidth === 0 || !context) {
      unseen.hidden();
      return;
    }
    unseen.shown();
    say("", "calm");
    canvas.hidden = false;
    handleLayer.hidden = false;

    const key = `${phi.layer.name}|${phi.layer.shape}|${tableRange(phi)}`;
    if (key !== layerSeen) {
      layerSeen = key;
      xChosen = null;
      yChosen = null;
    }
    const width = plot.clientWidth;
    const height = plot.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (
      canvas.width !== Math.round(width * ratio) ||
      canvas.height !== Math.round(height * ratio)
    ) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    places = placesIn(width, height, given.show.has("density"));
    colours = readColours(root, COLOURS);
    const x = xChosen ?? wholeRange(phi);
    picture = makePicture(
      {
        phi,
        frame,
        x,
        theme,
        colours,
        settings: given,
        ghost: store.ghost(),
        observed: given.show.has("density") ? store.observed(phi.layer.name) : null,
        width: places.plot.width,
      },
      samplesOf,
    );
    // While a point is held the plane stands still under the pointer.
    if (!dragged) yShown = yRange(picture);
    shown = reading === null ? null : readAt(phi, reading);
    const corners = picture.handles
      .filter(({ control }) => control)
      .map((handle) => ({ x: handle.x, y: heightOf(handle, phi.coefficients) }));
    paint(
      context,
      {
        x,
        y: yShown,
        variable: phi.layer.variable,
        domain: picture.domain,
        knots: picture.knots,
        lines: picture.lines,
        polygon: corners,
        density: picture.density,
        hint: UNSEEN,
        mark: markOf(phi, at),
        reading: shown && { x: shown.x, marks: marks(shown, given.show, colours) },
      },
      places,
      {
        width,
        height,
        ratio,
        font: `11px ${getComputedStyle(root).fontFamily || "sans-serif"}`,
        colours,
      },
    );
    dots.show(picture, places.plot, yShown, canEdit(phi.layer), dragged?.handle.b ?? -1);
    legend.show(legendRows(picture, given, shown, colours), shown ? "at x" : "");
    showWords(picture, given);
    if (frame !== drawnFrame) {
      drawnFrame = frame;
      frames++;
    }
    milliseconds = performance.now() - now;
  }

  /** Looks whether the newest frame has what was edited here. Not every frame that comes is drawn. */
  function settle(now: number) {
    const edited = gesture.at();
    if (!store || !edited) return;
    const newest = phiOf(store.latest(), edited);
    gesture.compare(newest?.coefficients ?? null, store.status().state === "live", now);
  }

  /** φ of the frame, or as it is being edited here. */
  function presentPhi(frame: Frame, at: Selection, now: number): Phi | null {
    const plain = phiOf(frame, at);
    if (!store || !plain || store.cursor() >= 0) return plain;
    settle(now);
    if (gesture.coefficients()) again(SLOW);
    return samePlace(gesture.at(), at) ? phiOf(frame, at, gesture.coefficients()) : plain;
  }

  function marks(at: Reading, show: ReadonlySet<Part>, inks: Colours) {
    const layer = picture?.phi.layer;
    const found: { y: number; colour: string }[] = [];
    if (settings().stacked) return show.has("phi") ? [{ y: at.phi, colour: inks.ink }] : [];
    const both = layer?.isBase.some((is) => is) && layer.isBase.some((is) => !is);
    if (both && show.has("spline")) found.push({ y: at.spline, colour: inks.spline });
    if (both && show.has("base")) found.push({ y: at.base, colour: inks.base });
    if (show.has("phi")) found.push({ y: at.phi, colour: inks.ink });
    return found;
  }

  /** The input that another view points at. */
  function markOf(phi: Phi, at: Selection) {
    const probe = store && probeOf(store).current();
    const x = probe?.layer === phi.layer.name ? probe.valueFor(at) : null;
    const read = x === null ? null : readAt(phi, x);
    return read && { x: read.x, y: read.phi };
  }

  function showHeader(layer: LayerLayout | null, at: Selection | null, given = settings()) {
    header.show({
      layers: layers(),
      layer,
      at,
      stacked: given.stacked,
      editable: given.editable,
      locked: layer?.locked ?? "",
      open: isOpen() && (store?.cursor() ?? -1) < 0,
      edits: store?.edits() ?? { undo: 0, redo: 0, message: "" },
      pinned: given.pins.some((pin) => samePlace(pin, at)),
      moved: xChosen !== null || yChosen !== null,
    });
  }

  function showWords(from: Picture, given = settings()) {
    const { phi, at } = from;
    const { layer } = phi;
    put(range, rangeText(from.whole));
    range.dataset.tone = phi.coefficients.every(Number.isFinite) ? "calm" : "warn";
    put(where, windowText(layer.variable, from.x));
    const seen = store?.observed(layer.name) ?? null;
    put(inputs, inputsText(phi, seen));
    put(note, layer.note);
    const v = layer.variable;
    put(readX, shown ? `${v} ${number(shown.x)}` : "");
    put(readPhi, shown ? `φ ${number(shown.phi)}` : "point at the curve to read it");
    put(readSlope, shown ? `φ′ ${number(shown.slope)}` : "");
    readout.toggleAttribute("data-reading", shown !== null);
    score.show(given.evaluation);

    const edits = store?.edits();
    const warning = given.notice || (edits?.message ?? "");
    const late = gesture.waited(performance.now()) > SLOW ? "waiting for the model…" : "";
    const locked = given.editable && layer.locked ? layer.locked : "";
    const back =
      given.editable && !locked && (store?.cursor() ?? -1) >= 0
        ? "Looking back: editing starts again at “live”."
        : "";
    const help = given.editable && !locked ? "Drag a point to change its weight." : "";
    put(foot, warning || late || locked || back || help);
    foot.dataset.tone = warning ? "warn" : "calm";

    describe(
      canvas,
      `Function of layer ${layer.name || layer.type}, ${placeText(layer, at)}. ` +
        `${rangeText(from.whole)}, ${windowText(v, from.x)}. ` +
        "Left and right arrow read it out, plus and minus zoom, up and down arrow move the view, " +
        "as left and right do at its edge, 0 shows all, " +
        "square brackets go to the previous and the next function.",
      JSON.stringify([layer.name, at, given.stacked, given.editable]),
    );
  }

  // ---- moving in the plane

  function fit() {
    xChosen = null;
    yChosen = null;
    schedule();
  }

  /** What of y is shown: what was chosen, else all that is drawn at the x shown. */
  function yRange({ held, reaches }: Picture): Range {
    if (yChosen) return inSight(yChosen, reaches);
    return xChosen ? fitted(held) : roomy(held);
  }

  function show(x: Range | null, y: Range | null) {
    if (!picture) return;
    if (x) xChosen = within(x, tableRange(picture.phi));
    if (y) yChosen = inSight(y, picture.reaches);
    schedule();
  }

  /** What zooming x by a factor does; y then fits what is seen. Null where there is nothing to zoom. */
  function acrossBy(factor: number, at: number): (() => void) | null {
    if (!picture) return null;
    const { phi } = picture;
    const next = zoomedWithin(xChosen ?? wholeRange(phi), at, factor, tableRange(phi));
    return (
      next &&
      (() => {
        xChosen = next;
        yChosen = null;
        schedule();
      })
    );
  }

  /** Likewise for y alone. */
  function upBy(factor: number, at: number): (() => void) | null {
    if (!picture) return null;
    const [low, high] = roomy(picture.held);
    const share = (yShown[1] - yShown[0]) / (high - low);
    if (factor < 1 ? share <= CLOSEST : share >= FURTHEST) return null;
    const next = zoomed(yShown, at, factor);
    return () => show(null, next);
  }

  function spot(event: MouseEvent): { px: number; py: number } {
    const box = canvas.getBoundingClientRect();
    return { px: event.clientX - box.left, py: event.clientY - box.top };
  }

  function onWheel(event: WheelEvent): (() => void) | null {
    if (!picture || !places || dragged) return null;
    const { px, py } = spot(event);
    const { plot: box } = places;
    const factor = wheelFactor(event);
    // Over the axis of y, y alone.
    if (px < box.x) return upBy(factor, fromY(yShown, box, py));
    return acrossBy(factor, fromX(picture.x, box, px));
  }

  function onMove(event: PointerEvent) {
    if (!picture || !places) return;
    const { px, py } = spot(event);
    const { plot: box } = places;
    if (panned) {
      const dx = ((panned.px - px) / box.width) * (panned.x[1] - panned.x[0]);
      const dy = ((py - panned.py) / box.height) * (panned.y[1] - panned.y[0]);
      if (Math.abs(panned.px - px) + Math.abs(panned.py - py) > 2) {
        show(shifted(panned.x, dx), shifted(panned.y, dy));
      }
    }
    const inside = px >= box.x && px <= box.x + box.width;
    reading = inside ? fromX(picture.x, box, px) : null;
    schedule();
  }

  function onDown(event: PointerEvent) {
    if (!picture || event.button !== 0) return;
    const { px, py } = spot(event);
    panned = { px, py, x: picture.x, y: yShown };
    canvas.setPointerCapture?.(event.pointerId);
    canvas.toggleAttribute("data-panning", true);
  }

  function onUp() {
    panned = null;
    canvas.removeAttribute("data-panning");
  }

  function onKey(event: KeyboardEvent) {
    if (!picture || !plainKey(event)) return;
    // As it will be drawn: keys may come faster than drawings.
    const x = xChosen ?? wholeRange(picture.phi);
    const y = yRange(picture);
    const [low, high] = x;
    const middle = reading ?? (low + high) / 2;
    const { key } = event;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const step = ((high - low) / (event.shiftKey ? 20 : 100)) * (key === "ArrowLeft" ? -1 : 1);
      const to = reading === null ? middle : reading + step;
      // At the edge of what is shown, that moves along.
      if (xChosen && (to < low || to > high)) show(shifted(x, step), null);
      const [least, most] = xChosen ?? x;
      reading = Math.max(least, Math.min(most, to));
      const at = readAt(picture.phi, reading);
      if (at)
        spoken.textContent = `x ${number(at.x)}, φ ${number(at.phi)}, slope ${number(at.slope)}`;
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      const step = (y[1] - y[0]) * (event.shiftKey ? 0.25 : 0.05);
      show(null, shifted(y, key === "ArrowUp" ? step : -step));
    } else if (key === "+" || key === "=") {
      acrossBy(0.8, middle)?.();
    } else if (key === "-") {
      acrossBy(1.25, middle)?.();
    } else if (key === "0") fit();
    else if (key === "[" || key === "PageUp") neighbour(-1);
    else if (key === "]" || key === "PageDown") neighbour(1);
    else if (key === "Escape") reading = null;
    else return;
    used(event);
    schedule();
  }

  // ---- taking hold of a point

  function handleOf(event: Event): Handle | null {
    return picture?.handles[dots.numberOf(event)] ?? null;
  }

  function onHandleDown(event: PointerEvent) {
    const handle = handleOf(event);
    if (!handle || !picture || event.button !== 0 || !canEdit(picture.phi.layer)) return;
    event.stopPropagation();
    const dot = event.target as HTMLElement;
    dot.setPointerCapture?.(event.pointerId);
    dots.remember(dots.numberOf(event));
    take(handle);
  }

  function onHandleMove(event: PointerEvent) {
    if (!dragged || !places || !picture) return;
    const { px, py } = spot(event);
    reading = fromX(picture.x, places.plot, px);
    if (event.buttons !== 0) pull(fromY(yShown, places.plot, py));
    schedule();
  }

  function onHandleUp() {
    if (dragged && !dragged.moved) dragged = null;
    else endDrag();
  }

  function onHandleKey(event: KeyboardEvent) {
    const handle = handleOf(event);
    if (!handle || !picture || !plainKey(event)) return;
    const { key } = event;
    if (key === "ArrowUp" || key === "ArrowDown") {
      if (!canEdit(picture.phi.layer)) return;
      nudge(handle, (key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1));
    } else if (key === "ArrowLeft" || key === "ArrowRight") {
      dots.step(dots.numberOf(event), key === "ArrowLeft" ? -1 : 1);
    } else if (key === "Escape" && dragged) {
      gesture.move(picture.at, dragged.from, performance.now());
      endDrag();
    } else return;
    used(event);
    schedule();
  }

  function onStore(what: Change) {
    if (what === "edits" && store?.edits().message) gesture.drop();
    if (what === "selection" && dragged && !samePlace(place(), gesture.at())) endDrag();
    if (what === "frame") settle(performance.now());
    if (what === "frame" && onScreen) pace.soon();
    else schedule();
  }

  function onLayer() {
    const name = model.get("layer");
    const layer = layers().find((other) => other.name === name);
    const chosen = store?.selection();
    if (layer && chosen && chosen.layer !== name) store?.select(selectionOf(layer, 0));
    schedule();
  }

  function setData(name: "kwTheme" | "kwHost" | "kwNarrow" | "stream", value: string | null) {
    if (value === null) delete root.dataset[name];
    else if (root.dataset[name] !== value) root.dataset[name] = value;
  }

  for (const trait of TRAITS) model.on(`change:${trait}`, trait === "layer" ? onLayer : schedule);
  takeWheel(plot, onWheel, signal);
  canvas.addEventListener("pointermove", onMove, { signal });
  canvas.addEventListener("pointerdown", onDown, { signal });
  canvas.addEventListener(
    "mousedown",
    (event) => {
      // No text is marked on the way; the keyboard goes here all the same.
      event.preventDefault();
      canvas.focus({ preventScroll: true });
    },
    { signal },
  );
  canvas.addEventListener("pointerup", onUp, { signal });
  canvas.addEventListener("pointercancel", onUp, { signal });
  canvas.addEventListener("dblclick", fit, { signal });
  canvas.addEventListener(
    "pointerleave",
    () => {
      reading = null;
      schedule();
    },
    { signal },
  );
  canvas.addEventListener("keydown", onKey, { signal });
  canvas.addEventListener("blur", schedule, { signal });
  handleLayer.addEventListener("pointerdown", onHandleDown, { signal });
  handleLayer.addEventListener("pointermove", onHandleMove, { signal });
  handleLayer.addEventListener("pointerup", onHandleUp, { signal });
  handleLayer.addEventListener("pointercancel", onHandleUp, { signal });
  handleLayer.addEventListener("keydown", onHandleKey, { signal });
  handleLayer.addEventListener("keyup", endDrag, { signal });
  handleLayer.addEventListener("focusout", onHandleUp, { signal });
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
      endDrag();
      for (const trait of TRAITS) {
        model.off(`change:${trait}`, trait === "layer" ? onLayer : schedule);
      }
      sizes.disconnect();
      sight.disconnect();
      pace.stop();
      unseen.stop();
      status.stop();
      clearTimeout(later);
      gesture.drop();
      store = null;
      root.remove();
    },
    { once: true },
  );

  root.kwView = {
    step: () => drawnFrame?.step ?? null,
    selection: () => picture?.at ?? null,
    curve(name) {
      const found = picture?.curves.find((one) => one.name === name);
      return found ? { x: Array.from(found.x), y: Array.from(found.y) } : null;
    },
    controlPoints() {
      if (!picture || !places) return [];
      const { phi, x } = picture;
      const { plot: box } = places;
      const page = canvas.getBoundingClientRect();
      return picture.handles.map((handle) => ({
        label: handle.label,
        x: page.left + toX(x, box, handle.x),
        y: page.top + toY(yShown, box, heightOf(handle, phi.coefficients)),
        value: phi.coefficients[handle.b],
      }));
    },
    readout() {
      if (!shown || !picture) return null;
      const { labels } = picture.phi.layer;
      const { terms } = shown;
      return {
        ...shown,
        terms: Object.fromEntries(labels.map((label, b) => [label, terms[b]])),
      };
    },
    window: () => picture && { x: picture.x, y: yShown },
    place(x, y) {
      if (!picture || !places) return null;
      const page = canvas.getBoundingClientRect();
      return {
        x: page.left + toX(picture.x, places.plot, x),
        y: page.top + toY(yShown, places.plot, y),
      };
    },
    coefficients: () => (picture ? Array.from(picture.phi.coefficients) : null),
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
      picture = null;
      drawnFrame = null;
      gesture.drop();
      setData("stream", name);
      time.replaceChildren();
      mountScrubber(time, next, mine);
      next.subscribe(onStore, mine);
      probeOf(next).subscribe(schedule, mine);
      schedule();
    },
  };
}
