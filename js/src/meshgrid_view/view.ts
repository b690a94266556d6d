/** The view: wires a store and the traits to the three ways of looking, the header, the tooltip and the scrubber. */

import type { AnyModel, Host } from "@anywidget/types";
import { element, put } from "../shared/element.ts";
import type { Rect } from "../shared/geometry.ts";
import { keepKeys } from "../shared/keys.ts";
import { chooseInLinked, isLinked } from "../shared/linked.ts";
import { memory } from "../shared/memory.ts";
import { createPace } from "../shared/pace.ts";
import { gradient, paletteOf } from "../shared/palette.ts";
import { createSave } from "../shared/save.ts";
import { mountScrubber } from "../shared/scrubber.ts";
import { createStatus } from "../shared/status.ts";
import { inJupyter, readColours, themeAround, watchTheme } from "../shared/theme.ts";
import { createTip } from "../shared/tip.ts";
import type { Change, Frame, LayerLayout, Store } from "../shared/types.ts";
import { createUnseen } from "../shared/unseen.ts";
import { createCaption } from "./caption.ts";
import { createHeader } from "./controls.ts";
import { createPairPanel, type PairPanel } from "./pair_panel.ts";
import { COLOURS, type Desk, type Facts, type Look, type Panel } from "./panel.ts";
import { createRampPanel, type RampPanel } from "./ramp_panel.ts";
import { createResponsePanel, type ResponsePanel } from "./response_panel.ts";
import { imagesOf, type Mode, settingsOf, TRAITS, type Traits } from "./settings.ts";

/** What tests and other tools may ask of a view, as `element.kwView`. */
export interface MeshProbe {
  mode(): Mode;
  step(): number | null;
  layer(): string | null;
  message(): string;
  heat: RampPanel["heat"];
  rectOf: RampPanel["rectOf"];
  scaleOf: RampPanel["scaleOf"];
  hovered: RampPanel["hovered"];
  pair: PairPanel["pair"];
  entryRect: PairPanel["entryRect"];
  plotRect: PairPanel["plotRect"];
  response: ResponsePanel["response"];
  input: ResponsePanel["input"];
  probe: ResponsePanel["probe"];
  inputRect: ResponsePanel["inputRect"];
  mapRect: ResponsePanel["mapRect"];
  patchCell: ResponsePanel["patchCell"];
  /** Draws through points in pixels of the image. */
  draw(points: readonly [number, number][]): void;
  /** How often a frame has been drawn and how long the last drawing took. */
  drawn(): { frames: number; milliseconds: number };
}

export interface MeshElement extends HTMLElement {
  kwView: MeshProbe;
}

export interface View {
  message(text: string, tone: "calm" | "warn"): void;
  connect(store: Store, stream: string, signal: AbortSignal): void;
}

export function createView(
  model: AnyModel<Traits>,
  el: HTMLElement,
  signal: AbortSignal,
  host: Host | undefined,
): View {
  const document = el.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;

  const root = element(document, "div", "kw-view kw-meshgrid-view") as unknown as MeshElement;
  keepKeys(root, signal);
  const header = createHeader(document, choose, signal);
  const status = createStatus(document, schedule);
  const caption = createCaption(document, status.element);
  const body = element(document, "div", "kw-body");
  const message = element(document, "div", "kw-message");
  message.setAttribute("role", "status");
  const time = element(document, "div", "kw-time-place");
  const readout = element(document, "div", "kw-readout");
  const spoken = element(document, "div", "kw-spoken");
  spoken.setAttribute("aria-live", "polite");
  const tip = createTip(document);

  let store: Store | null = null;
  let stream = "";
  let tipShown = false;
  let drawnFrame: Frame | null = null;
  let drawnLayer: LayerLayout | null = null;
  let frames = 0;
  let milliseconds = 0;
  let onScreen = true;
  let waiting = false;
  const keep = memory();
  const pace = createPace(window, draw);
  const unseen = createUnseen(schedule);

  const desk: Desk = {
    document,
    signal,
    schedule,
    choose,
    say(text) {
      spoken.textContent = text;
    },
    showTip(title, lines, cell: Rect) {
      tipShown = true;
      const box = root.getBoundingClientRect();
      tip.show(
        title,
        lines,
        { ...cell, x: cell.x - box.left, y: cell.y - box.top },
        { width: root.clientWidth, height: time.offsetTop },
      );
    },
  };
  const ramp = createRampPanel(desk);
  const pair = createPairPanel(desk);
  const response = createResponsePanel(desk, ({ data, width, height }) => {
    choose("drawing", { shape: [1, 1, height, width], data: new DataView(data.slice().buffer) });
  });
  const panels: Record<Mode, Panel> = { ramp, pair, response };
  body.append(ramp.element, pair.element, response.element, message);
  const name = () =>
    `meshgrid-view ${root.dataset.mode ?? ""} ${drawnLayer?.name ?? ""} step ${drawnFrame?.step ?? ""}`;
  const foot = element(document, "div", "kw-readout-row");
  foot.append(readout, createSave(document, { root: () => root, name, redraw: draw }, signal));
  root.append(header.element, caption.element, body, time, foot, spoken, tip.element);

  function schedule() {
    if (onScreen) pace.now();
    else waiting = true;
  }

  function choose(trait: string, value: unknown) {
    model.set(trait, value);
    model.save_changes();
    if (trait === "layer") chooseInLinked(model, host, String(value));
    schedule();
  }

  function layers(): LayerLayout[] {
    return store?.current()?.layout.layers ?? [];
  }

  function currentLayer(): LayerLayout | null {
    const all = layers();
    return all.find(({ name }) => name === model.get("layer")) ?? all[0] ?? null;
  }

  /** Shows text in place of the drawing; with "" the drawing. */
  function say(text: string, tone: "calm" | "warn") {
    message.hidden = text === "";
    message.dataset.tone = tone;
    put(message, text);
    if (text) {
      for (const panel of Object.values(panels)) panel.element.hidden = true;
      tip.hide();
      caption.clear();
      readout.textContent = "";
    }
  }

  function draw() {
    waiting = false;
    const theme = model.get("theme");
    const followed = theme !== "light" && theme !== "dark";
    const dark = (followed ? themeAround(el) : theme) === "dark";
    setData("kwTheme", dark ? "dark" : "light");
    setData("kwHost", followed && inJupyter(document) ? "jupyter" : null);
    if (!store) return;
    status.show(store);
    const settings = settingsOf((name) => model.get(name));
    const layer = currentLayer();
    header.show(settings, layer?.name ?? "", layers(), root.clientWidth);
    if (store.protocolError) {
      say(store.protocolError, "warn");
      return;
    }
    const frame = store.current();
    if (!frame || !layer) {
      say(frame ? "no layer to draw" : "waiting for the first frame…", "calm");
      return;
    }
    setData("layer", layer.name);
    setData("mode", settings.mode);
    if (root.clientWidth === 0) {
      unseen.hidden();
      return;
    }
    unseen.shown();
    const start = performance.now();
    if (drawnLayer && drawnLayer.name !== layer.name) ramp.forget();
    drawnLayer = layer;
    say("", "calm");
    const panel = panels[settings.mode];
    for (const other of Object.values(panels)) other.element.hidden = other !== panel;
    if (panel !== response) response.leave();

    const palette = paletteOf(dark ? "dark" : "light");
    const family = getComputedStyle(root).fontFamily || "sans-serif";
    const look: Look = {
      ratio: window.devicePixelRatio || 1,
      font: (size) => `${size}px ${family}`,
      colours: readColours(root, COLOURS),
      palette,
      dark,
    };
    const raw = model.get("images");
    tipShown = false;
    const facts = panel.draw({
      store,
      frame,
      layer,
      settings,
      look,
      width: root.clientWidth,
      images: keep("images", [raw], () => imagesOf(raw)),
    });
    if (!tipShown) tip.hide();
    if (facts.message) {
      say(facts.message, "calm");
    } else {
      const held = JSON.stringify([settings, layer.name, root.clientWidth]);
      caption.show(facts, gradient(palette), held);
      showReadout(facts, settings.mode);
    }
    if (frame !== drawnFrame) {
      drawnFrame = frame;
      frames++;
    }
    milliseconds = performance.now() - start;
  }

  function showReadout(facts: Facts, mode: Mode) {
    const hint =
      mode === "ramp" ? "Click a function to select it, or use the arrow keys and Enter." : "";
    const text = facts.readout || hint;
    if (readout.textContent !== text) {
      readout.textContent = text;
      readout.title = facts.readout;
    }
    readout.toggleAttribute("data-selected", facts.selected && facts.readout !== "");
  }

  function onStore(what: Change) {
    if (what === "selection") {
      follow();
      response.follow();
    }
    if (what === "frame" && onScreen) pace.soon();
    else if (what !== "edits" && what !== "ghost") schedule();
  }

  /** Shows the layer of a selection made elsewhere, unless another such view of this stream shows it already. */
  function follow() {
    const layer = store?.selection()?.layer;
    if (layer === undefined || layer === currentLayer()?.name) return;
    if (!layers().some(({ name }) => name === layer)) return;
    const others = document.querySelectorAll<HTMLElement>(".kw-meshgrid-view");
    const shown = Array.from(others).some(
      ({ dataset }) => dataset.stream === stream && dataset.layer === layer,
    );
    if (!shown || isLinked(model)) choose("layer", layer);
  }

  function setData(name: string, value: string | null) {
    if (value === null) delete root.dataset[name];
    else if (root.dataset[name] !== value) root.dataset[name] = value;
  }

  const onTrait = (trait: string) => () => {
    if (trait === "drawing") response.takeDrawing(model.get("drawing"));
    schedule();
  };
  const listeners = TRAITS.map((trait) => [`change:${trait}`, onTrait(trait)] as const);
  for (const [event, listener] of listeners) model.on(event, listener);
  response.takeDrawing(model.get("drawing"));

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
      for (const [event, listener] of listeners) model.off(event, listener);
      sizes.disconnect();
      sight.disconnect();
      pace.stop();
      status.stop();
      unseen.stop();
      store = null;
      root.remove();
    },
    { once: true },
  );

  root.kwView = {
    mode: () => settingsOf((name) => model.get(name)).mode,
    step: () => drawnFrame?.step ?? null,
    layer: () => drawnLayer?.name ?? null,
    message: () => (message.hidden ? "" : (message.textContent ?? "")),
    heat: ramp.heat,
    rectOf: ramp.rectOf,
    scaleOf: ramp.scaleOf,
    hovered: ramp.hovered,
    pair: pair.pair,
    entryRect: pair.entryRect,
    plotRect: pair.plotRect,
    response: response.response,
    input: response.input,
    probe: response.probe,
    inputRect: response.inputRect,
    mapRect: response.mapRect,
    patchCell: response.patchCell,
    draw: response.drawLine,
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
      drawnFrame = null;
      setData("stream", name);
      const both = AbortSignal.any([mine, signal]);
      next.subscribe(onStore, both);
      mountScrubber(time, next, both);
      schedule();
    },
  };
}
