/** What every view lives in: finds its stream, follows theme, size and sight, draws at its pace, says what is wrong. */

import type { AnyModel, RenderProps } from "@anywidget/types";
import { type Drawing, type Given, NOTHING } from "../scene/drawing.ts";
import type { Scene } from "../scene/marks.ts";
import { type Colours, type Theme, themeOf } from "../scene/theme.ts";
import type { Change, Store } from "../wire/types.ts";
import { createCaption } from "./caption.ts";
import { element, put } from "./element.ts";
import { loadFont } from "./font.ts";
import { holdHeight } from "./hold.ts";
import { keepKeys } from "./keys.ts";
import { chooseInLinked } from "./linked.ts";
import { createPace } from "./pace.ts";
import { createSaving } from "./saving.ts";
import { mountScrubber } from "./scrubber.ts";
import { createStatus } from "./status.ts";
import { inJupyter, themeAround, watchTheme } from "./theme.ts";
import { createTip, type Tip } from "./tip.ts";
import { createUnseen } from "./unseen.ts";

export interface Kind {
  /** As in the registry: "kernel_grid". */
  name: string;
  /** For people: "Kernel grid". */
  label: string;
  /** Traits that it is drawn from, beside `theme`. */
  traits: readonly string[];
  /** It shows no frame: its words say by themselves how the training is, and it cannot go back in time. */
  timeless?: boolean;
  drawing: () => Drawing;
}

/** What a view may ask of the shell around it. */
export interface Shell {
  readonly document: Document;
  readonly root: HTMLElement;
  readonly model: AnyModel;
  /** Ends with the view. */
  readonly signal: AbortSignal;
  readonly tip: Tip;
  /** Reference of the stream that is drawn. */
  stream(): string;
  store(): Store | null;
  get(trait: string): unknown;
  /** Sets a trait, here and in Python, and draws. */
  choose(trait: string, value: unknown): void;
  /** Draws in the next animation frame. */
  schedule(): void;
  /** Puts words into the line under the drawing. */
  read(words: string, chosen?: boolean, warns?: boolean): void;
  /** Says words to those who listen. */
  speak(words: string): void;
}

/** The parts of one view. */
export interface Parts {
  header?: HTMLElement | undefined;
  body: HTMLElement;
  /** CSS pixels for the drawing; 0 while it is hidden. */
  width(): number;
  /** Draws; what comes back is what is shown, or words for why nothing is. */
  draw(given: Given): Scene | string;
  /** What is saved, where it is more than a new drawing of the same state would be: things that were kept by a click. */
  still?(given: Given): Scene | string;
  /** After a trait or the stream changed, before the drawing. */
  changed?(what: Change | string): void;
  /** The name of a saved file, without its ending. */
  fileName(): string;
  /** Nothing can be drawn. */
  cleared?(): void;
}

export function mountView(
  kind: Kind,
  { model, el, host, signal }: RenderProps,
  build: (shell: Shell) => Parts,
): void {
  const document = el.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const root = element(document, "div", `kw-view kw-${kind.name.replaceAll("_", "-")}`);
  const message = element(document, "div", "kw-message");
  message.setAttribute("role", "status");
  const time = element(document, "div", "kw-time-place");
  const readout = element(document, "div", "kw-readout");
  const spoken = element(document, "div", "kw-spoken");
  spoken.setAttribute("aria-live", "polite");
  const status = createStatus(document, schedule);
  const caption = createCaption(document);
  const hold = holdHeight(caption.element);
  const pace = createPace(window, draw);
  const unseen = createUnseen(schedule);
  const tip = createTip(document);
  keepKeys(root, signal);

  let store: Store | null = null;
  let stream = "";
  let onScreen = true;
  let waiting = false;
  let connection = new AbortController();

  const shell: Shell = {
    document,
    root,
    model,
    signal,
    tip,
    stream: () => stream,
    store: () => store,
    get: (trait) => model.get(trait),
    choose(trait, value) {
      model.set(trait, value);
      model.save_changes();
      if (trait === "layer") chooseInLinked(model, host, String(value));
      schedule();
    },
    schedule,
    read(words, chosen = false, warns = false) {
      put(readout, words);
      if (readout.title !== words) readout.title = words;
      readout.toggleAttribute("data-selected", chosen);
      readout.toggleAttribute("data-warns", warns);
    },
    speak: (words) => put(spoken, words),
  };
  const parts = build(shell);
  const line = element(document, "div", "kw-caption");
  if (!kind.timeless) line.append(status.element);
  line.append(caption.element);
  const foot = element(document, "div", "kw-readout-row");
  const save = createSaving(document, { still, name: parts.fileName }, signal);
  foot.append(readout, save);
  if (parts.header) {
    parts.header.setAttribute("role", "toolbar");
    parts.header.setAttribute("aria-label", kind.label);
    root.append(parts.header);
  }
  time.hidden = kind.timeless ?? false;
  root.append(line, message, parts.body, time, foot, spoken, tip.element);

  function schedule() {
    if (onScreen) pace.now();
    else waiting = true;
  }

  function theme(): Theme {
    const asked = model.get("theme");
    const followed = asked !== "light" && asked !== "dark";
    const name = followed ? themeAround(el) : (asked as "light" | "dark");
    const jupyter = followed && inJupyter(document);
    const made = themeOf(name);
    if (root.dataset.kwTheme !== name) root.dataset.kwTheme = name;
    if (jupyter) root.dataset.kwHost = "jupyter";
    else delete root.dataset.kwHost;
    for (const [part, colour] of Object.entries(made.colours))
      setProperty(root, `--kw-${part}`, colour);
    if (!jupyter) return made;
    // Inside JupyterLab the page's own surface and text.
    const style = window.getComputedStyle(el);
    const own = (name: string, other: string) => style.getPropertyValue(name).trim() || other;
    const colours: Colours = {
      ...made.colours,
      surface: own("--jp-layout-color1", made.colours.surface),
      ink: own("--jp-ui-font-color0", made.colours.ink),
    };
    setProperty(root, "--kw-surface", colours.surface);
    setProperty(root, "--kw-ink", colours.ink);
    return { name, colours };
  }

  function given(width: number, from: Store): Given {
    return {
      store: from,
      get: (trait) => model.get(trait),
      width,
      height: Math.max(96, Number(model.get("height")) || 480),
      theme: theme(),
      ratio: window.devicePixelRatio || 1,
      pointed: NOTHING,
    };
  }

  /** The scene as it is saved: nothing pointed at, nothing scrolled. */
  function still() {
    if (!store) return null;
    const asked = given(parts.width(), store);
    const scene = parts.still ? parts.still(asked) : kind.drawing()(asked);
    return typeof scene === "string" ? null : { scene, theme: asked.theme };
  }

  function say(text: string, tone: "calm" | "warn") {
    message.hidden = text === "";
    message.dataset.tone = tone;
    put(message, text);
    parts.body.hidden = text !== "";
    if (!text) return;
    tip.hide();
    caption.show([]);
    readout.textContent = "";
    parts.cleared?.();
  }

  function draw() {
    waiting = false;
    if (!store) {
      theme();
      return;
    }
    if (store.protocolError) {
      say(store.protocolError, "warn");
      return;
    }
    status.show(store);
    parts.body.hidden = false;
    if (parts.width() === 0) {
      unseen.hidden();
      return;
    }
    unseen.shown();
    const scene = parts.draw(given(parts.width(), store));
    if (typeof scene === "string") {
      say(scene, "calm");
      return;
    }
    say("", "calm");
    caption.show(scene.caption);
    hold(`${scene.title} ${scene.width}`);
  }

  function onStore(what: Change) {
    parts.changed?.(what);
    if (what === "frame" && onScreen) pace.soon();
    else schedule();
  }

  async function connect() {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    const both = AbortSignal.any([mine, signal]);
    stream = String(model.get("stream"));
    store = null;
    say("waiting for the kernel…", "calm");
    schedule();
    try {
      const { exports } = await host.getWidget<Store>(stream);
      if (both.aborted) return;
      if (!exports?.subscribe) {
        say("The stream of this view did not start: run its cell again.", "warn");
        return;
      }
      store = exports;
      root.dataset.stream = stream;
      parts.changed?.("stream");
      exports.subscribe(onStore, both);
      if (!kind.timeless) mountScrubber(time, exports, both);
      schedule();
    } catch (error) {
      if (both.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      say(`The stream of this view cannot be read: ${reason}`, "warn");
    }
  }

  const traits = [...kind.traits, "theme"].map((trait) => {
    const changed = () => {
      parts.changed?.(trait);
      schedule();
    };
    model.on(`change:${trait}`, changed);
    return [trait, changed] as const;
  });
  model.on("change:stream", connect);
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
      for (const [trait, changed] of traits) model.off(`change:${trait}`, changed);
      model.off("change:stream", connect);
      connection.abort();
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
  el.append(root);
  theme();
  void loadFont(document).then(schedule);
  void connect();
}

function setProperty(target: HTMLElement, name: string, value: string) {
  if (target.style.getPropertyValue(name) !== value) target.style.setProperty(name, value);
}
