/** The shell of every view: finds its stream, follows theme, size and sight, draws at its pace, says what is wrong. */

import type { AnyModel, Host, RenderProps } from "@anywidget/types";
import { type Drawing, type Given, NOT_POINTED } from "../scene/drawing.ts";
import type { Mark, Rect, Remark, Scene } from "../scene/marks.ts";
import type { Theme } from "../scene/theme.ts";
import { watchTraits } from "../wire/hear.ts";
import { isUnderWay } from "../wire/standing.ts";
import type { Change, Store } from "../wire/types.ts";
import { chooseInLinked, joinStream } from "./connection.ts";
import { createSteering } from "./controls.ts";
import { createBirth, createTurns, createUnseen } from "./draw_turns.ts";
import { atEnd, element, listen, putAttributes } from "./element.ts";
import { bringIntoSight, drawingInSight, noteHand } from "./in_sight.ts";
import { keepKeys } from "./keys.ts";
import { createBeside, createSaving } from "./saving.ts";
import { loadFont } from "./sheet.ts";
import type { Stage } from "./stage.ts";
import { createCaption, createStatus, createWords, holdHeight } from "./status.ts";
import { paintTheme, themeBetween, watchTheme } from "./theme.ts";
import { createTip } from "./tip.ts";

export interface Kind {
  /** The key in the registry: "kernel_grid". */
  name: string;
  /** The name for people: "Kernel grid". */
  label: string;
  /** The view shows no frame: its own words say how the training stands, and it cannot go back in time. */
  timeless?: boolean;
  /** The view lists unreadable layers even though it has no timeline: it has layers to choose from. */
  lists?: boolean;
  /** Its drawing is tall, so the timeline and the readout stand above it, where they are seen. */
  above?: boolean;
  /** What its colours mean stands in a line below the drawing. */
  keyBelow?: boolean;
  /** The view is no taller than the window, where possible. */
  fits?: boolean;
  drawing: () => Drawing;
}

export interface Still {
  scene: Scene;
  theme: Theme;
}

/** A view in a host, which has layers, timeline, readout and buttons that save once for all. Style sheets know it by `data-kw-within`. */
export interface Within {
  /** Traits that its model does not have: how it is one of several. */
  traits?: Readonly<Record<string, unknown>>;
  read(words: string, chosen?: boolean, warns?: boolean): void;
  /** Whether the host shows a remark for all its views. */
  says(remark: string): boolean;
  /** Hands the host how to get what the view would save, and how to draw the view again. */
  takes(still: () => Still | null, draw: () => void): void;
  /** CSS pixels that the host has for the drawing; undefined where the view is as tall as it likes. */
  height(): number | undefined;
  /** The most that are seen of it at once; undefined where more may be. */
  seen?(): number | undefined;
  /** Called when it is drawn: whether to stay hidden until those beside it are ready. */
  waits?(): boolean;
}

/** The props that a view is mounted with: a host says by `within` that it is one. */
export interface Mounted extends RenderProps {
  within?: Within;
}

/** What a view may ask of the shell around it. */
export interface Shell<S extends Scene = Scene> {
  readonly document: Document;
  readonly root: HTMLElement;
  readonly model: AnyModel;
  /** Gives the other models of the page. */
  readonly host: Host;
  /** Ends with the view. */
  readonly signal: AbortSignal;
  readonly tip: ReturnType<typeof createTip>;
  readonly steering: ReturnType<typeof createSteering>;
  /** It stands in a host. */
  readonly hosted: boolean;
  /** Reference of the stream that is drawn. */
  stream(): string;
  store(): Store | null;
  /** What was drawn last; null where nothing is shown. */
  scene(): S | null;
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

export interface Parts<S extends Scene = Scene> {
  header?: HTMLElement | undefined;
  /** Where the buttons that save stand, if not under the drawing, and the one that puts the view beside the notebook. */
  menu?: HTMLElement;
  tools?: HTMLElement;
  /** Where the scene is drawn. */
  stage?: Stage;
  /** What stands under the header, and its CSS pixels for drawings, 0 while it is hidden: by default the stage and its width. */
  body?: HTMLElement;
  width?(): number;
  /** What tests and other tools may ask of views of its kind beside what any view has. */
  forTests?: object;
  /** Where the large button of a run that waits to begin is laid, if not on the body. */
  train?(): HTMLElement;
  /** Draws; what comes back is what is shown, or words for why nothing is. */
  draw(given: Given): S | string;
  /** What is saved, where it is more than a new drawing of the same state would be: things that were kept by a click. */
  still?(given: Given): Scene | string;
  /** After a trait or the stream changed, before the drawing. */
  changed?(what: Change | string): void;
  /** The name of a saved file, without its ending. */
  fileName(): string;
  /** Nothing can be drawn. */
  cleared?(): void;
}

/** What tests and other tools may ask of a view: what it shows, all words in it, and where a site lies in client pixels. */
export interface ViewElement<S extends Scene = Scene, More = object> extends HTMLElement {
  kwView: { scene(): S | null; words(): string[]; at(id: string): Rect | null } & More;
}

const WAITING = "waiting for Python…";

type Build<S extends Scene> = (shell: Shell<S>) => Parts<S>;

/** Puts a view of a kind into a page; `build` makes the parts of that kind. */
export const viewOf =
  <S extends Scene>(kind: Kind, build: Build<S>) =>
  (props: Mounted): void =>
    mountView(kind, props, build);

function mountView<S extends Scene>(kind: Kind, props: Mounted, build: Build<S>): void {
  const { model, el, host, signal, within } = props;
  const hasTime = !kind.timeless && !within;
  const get = (trait: string): unknown => within?.traits?.[trait] ?? model.get(trait);
  const document = el.ownerDocument;
  const className = `kw-view kw-${kind.name.replaceAll("_", "-")}`;
  const root = element(document, "div", className) as unknown as ViewElement;
  const words = createWords(document);
  const time = element(document, "div", "kw-time-place");
  const turns = createTurns(root, draw, signal);
  const [theme, schedule] = themeBetween(turns.now, () => paintTheme(root, el, model.get("theme")));
  const status = createStatus(document, hasTime, kind.above);
  const caption = createCaption(document, kind.keyBelow);
  const holds = [holdHeight(caption.element), holdHeight(caption.key)];
  const unseen = createUnseen(schedule);
  const tip = createTip(document);
  const steering = createSteering(document, () => stream.store(), words.warn, signal);

  const shell: Shell<S> = {
    document,
    root,
    model,
    host,
    signal,
    tip,
    steering,
    hosted: within !== undefined,
    stream: () => stream.name(),
    store: () => stream.store(),
    scene: () => lastScene,
    get,
    choose(trait, value) {
      model.set(trait, value);
      model.save_changes();
      if (trait === "layer") chooseInLinked(model, host, String(value));
      schedule();
    },
    schedule,
    read: within?.read ?? words.read,
    speak: words.speak,
  };
  const parts = build(shell);
  const { body, width } = bodyOf(parts);
  let lastScene: S | null = null;
  root.kwView = {
    scene: () => lastScene,
    words: () => (lastScene ? wordsOf(lastScene) : []),
    at: (id) => parts.stage?.clientBox(id) ?? null,
    ...parts.forTests,
  };
  time.hidden = !hasTime;
  const topLine = hasTime || kind.lists ? [status.element, caption.element] : [caption.element];
  const save = createSaving(document, still, parts.fileName, signal);
  putTogether(shell, kind, parts, words, topLine, caption.key, within ? null : [time, save]);
  within?.takes(still, draw);

  const sight = kind.fits && !within ? drawingInSight(root, body, () => stream.store()) : null;
  const given = (from: Store) => givenOf(get, from, width(), theme(), within);

  /** The scene as it is saved: nothing pointed at, nothing scrolled. */
  function still(): Still | null {
    const store = stream.store();
    return store && stillOf(parts.still ?? kind.drawing(), given(store), within);
  }

  function say(text: string, tone: "calm" | "warn" = "calm") {
    words.say(text, tone);
    // What was observed may be on its way: words about its absence would only flash.
    const isLate = text !== "" && stream.store()?.awaitsObserved();
    if (text !== WAITING && !isLate && !within?.waits?.()) birth.show();
    body.hidden = text !== "";
    if (!text) return;
    lastScene = null;
    tip.hide();
    caption.show([]);
    parts.cleared?.();
  }

  function draw() {
    const store = stream.store();
    if (!store || !birth.ready()) return void theme();
    if (store.protocolError) return say(store.protocolError, "warn");
    body.hidden = false;
    if (width() === 0) return unseen.hidden();
    unseen.shown();
    const scene = parts.draw({ ...given(store), seen: within ? within.seen?.() : sight?.height() });
    steering.show(within ? undefined : (parts.train?.() ?? body));
    status.show(store, String(model.get("ensemble") ?? "")); // after the drawing, which asks how wide it is: slow once words have changed
    stream.scrubber()?.tell();
    if (typeof scene === "string") return say(scene);
    const remarks = scene.caption.filter((remark) => isSaid(remark, within));
    caption.show(remarks);
    const said = saidAtRest(remarks, store, parts);
    for (const hold of holds) hold(`${scene.title} ${scene.width} ${scene.about}`, said);
    lastScene = { ...scene, caption: remarks };
    const isFirst = "kwUnborn" in root.dataset;
    say("");
    sight?.changed(isFirst);
    if (isFirst && sight) return draw(); // with what is around it, as it is now
    if (!within) bringIntoSight(root, store);
  }

  function heard(what: Change | string) {
    parts.changed?.(what);
    if (what === "theme" && !within) bringIntoSight(root, stream.store(), true);
    sight?.changed(what !== "frame");
    if (what === "frame") turns.soon();
    else (what === "theme" ? schedule : turns.now)();
  }

  const stream = joinStream(props, root, hasTime ? time : null, {
    lost: () => say(WAITING),
    joined: () => parts.changed?.("stream"),
    heard,
    failed: (text) => say(text, "warn"),
    schedule,
  });

  watchTraits(model, model.get("drawn_from") as string[], heard, signal);
  keepKeys(root, signal);
  watchAround(el, root, () => heard("theme"), signal);
  atEnd(signal, () => {
    unseen.stop();
    root.remove();
  });
  el.append(root);
  theme();
  const birth = createBirth(root, loadFont(document), schedule, signal);
  stream.start();
}

/** While frames come, or a pointer, the words change their length; at rest they take no more room than they need. */
function saidAtRest(remarks: Scene["caption"], store: Store, { stage }: Parts) {
  const isHeld = isUnderWay(store.standing()) || store.cursor() >= 0 || stage?.pointed().id;
  return isHeld ? undefined : remarks.map(({ text }) => text).join();
}

function stillOf(draw: Drawing, given: Given, within: Within | undefined): Still | null {
  const scene = draw({ ...given, still: "screen" });
  if (typeof scene === "string") return null;
  const caption = within ? scene.caption.filter((one) => isSaid(one, within)) : scene.caption;
  return { scene: { ...scene, caption }, theme: given.theme };
}

/** Puts the elements of a view where they stand in it; `own` are its timeline and the buttons that save. */
function putTogether(
  shell: Shell,
  { label, above }: Kind,
  parts: Parts,
  { message, readout, spoken, warn }: ReturnType<typeof createWords>,
  topLine: readonly HTMLElement[],
  key: HTMLElement,
  ownTools: [time: HTMLElement, save: HTMLElement] | null,
) {
  const { document, root, tip } = shell;
  const { header, menu, tools } = parts;
  const { body } = bodyOf(parts);
  if (header) {
    putAttributes(header, { role: "toolbar", "aria-label": label });
    root.append(header);
  }
  const captionLine = element(document, "div", "kw-caption", root);
  captionLine.append(...topLine);
  root.append(message, body, key, spoken, tip.element);
  root.toggleAttribute("data-kw-within", ownTools === null);
  if (!ownTools) return;
  const [time, save] = ownTools;
  const foot = element(document, "div", "kw-readout-row");
  foot.append(readout);
  (menu ?? foot).append(save);
  (above ? captionLine : body).after(time, foot);
  if (!document.getElementById("jp-main-dock-panel")) return;
  (tools ?? save).prepend(createBeside(shell, warn, tools ? "kw-button" : "kw-save-button"));
}

function bodyOf({ stage, body, width }: Parts) {
  return { body: body ?? (stage as Stage).element, width: width ?? (stage as Stage).width };
}

/** Calls `changed` when the room of a view, or the theme around it, is another; notes what its reader does. */
function watchAround(el: HTMLElement, root: HTMLElement, changed: () => void, signal: AbortSignal) {
  listen(root, signal, { pointerdown: noteHand, keydown: noteHand }, { capture: true });
  for (const resize of [noteHand, changed])
    listen(el.ownerDocument.defaultView as Window, signal, { resize });
  watchTheme(el, changed, signal);
  const sizes = new ResizeObserver(changed);
  sizes.observe(root);
  atEnd(signal, () => sizes.disconnect());
}

/** A host says some remarks once for all that it has. */
function isSaid({ text, shared, inside }: Remark, within: Within | undefined): boolean {
  return within ? !shared && !within.says(text) : !inside;
}

function givenOf(
  get: Given["get"],
  store: Store,
  width: number,
  theme: Theme,
  within: Within | undefined,
): Given {
  const room = within?.height();
  return {
    store,
    get: (trait) => (trait === "height" && room ? room : get(trait)),
    width,
    height: room ?? Math.max(96, Number(get("height")) || 480),
    room,
    theme,
    ratio: globalThis.devicePixelRatio || 1,
    pointed: NOT_POINTED,
  };
}

export function wordsOf(scene: Scene): string[] {
  const whole = { x: 0, y: 0, width: scene.width, height: scene.height };
  return [
    scene.title,
    scene.moment,
    ...scene.caption.map(({ text }) => text),
    ...scene.sheets.flatMap((sheet) => textsIn(sheet.marks(whole))),
  ];
}

function textsIn(marks: readonly Mark[]): string[] {
  return marks.flatMap((mark) => {
    if (mark.kind === "text") return [mark.text];
    return mark.kind === "group" ? textsIn(mark.marks) : [];
  });
}
