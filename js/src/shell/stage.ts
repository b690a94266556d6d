/** The canvas of a scene: draws it, and tells what is pointed at by the ids of its sites. */

import { type Given, NOT_POINTED, type Pointed } from "../scene/drawing.ts";
import type { Point, Rect, Scene } from "../scene/marks.ts";
import { cutOf } from "../scene/still.ts";
import { createPainter } from "./canvas.ts";
import { createDrags, type Grip } from "./drag.ts";
import { describe, element, listen, putAttributes, putStyle } from "./element.ts";
import { DIRECTIONS, plainKey, used } from "./keys.ts";

export interface Hands extends Grip {
  /** Something else is pointed at: draw again. */
  moved(): void;
  /** The site was clicked, or chosen by Enter; "" is between sites. */
  press(id: string, event: MouseEvent | KeyboardEvent): void;
  /** The keyboard came to a site. */
  arrived?(id: string, words: string): void;
  /** A key that the stage does not use itself; true where the view did. */
  key?(event: KeyboardEvent, id: string): boolean;
  /** A key, before the stage takes it to go from site to site; true where the view used it. */
  keyFirst?(event: KeyboardEvent): boolean;
  twice?(id: string, event: MouseEvent): void;
  left?(): void;
  /** How the pointer looks over a site; a hand over all by default. */
  cursor?(id: string): string;
  /** Said beside the pointer when it rests on a site. */
  title?(id: string): string;
}

export type Stage = ReturnType<typeof createStage>;

/** The stage of a view: by default it is drawn again where something else is pointed at, and sites that the keyboard comes to are read out. */
export function createViewStage(
  shell: { document: Document; signal: AbortSignal; schedule(): void; speak(words: string): void },
  hands: Omit<Hands, "moved"> & Partial<Hands>,
): Stage {
  const arrived = (_: string, words: string) => shell.speak(words);
  const all = { moved: shell.schedule, arrived, ...hands };
  return createStage(shell.document, all, shell.signal);
}

export function createStage(document: Document, hands: Hands, signal: AbortSignal) {
  const viewport = createViewport(document);
  const { page, view } = viewport;
  const canvas = element(document, "canvas", "kw-canvas", page);
  canvas.tabIndex = 0;
  putAttributes(canvas, { role: "application" });
  const painter = createPainter(canvas);

  let scene: Scene | null = null;
  /** Where the pointer is on the canvas: what lies under it changes when the scene scrolls. */
  let pointer: Point | null = null;
  function inScene({ x, y }: Point): Point {
    const seen = view();
    return { x: x + seen.x, y: y + seen.y };
  }

  const at = (event: Pick<MouseEvent, "clientX" | "clientY">) => inScene(placeOn(canvas, event));
  const siteAt = (place: Point) => scene?.sites.at(place.x, place.y, view()) ?? "";
  const drags = createDrags(canvas, at, siteAt, hands, signal);
  const walk = createWalk(hands, reveal);
  /** How far it is scrolled to what a scene tells of; null where the reader has scrolled elsewhere. */
  let opened: number | null = 0;
  /** Whether the reader has done something here since: a cell that is taken out of the page and put back scrolls, too. */
  let isTouched = false;
  const touch = () => {
    isTouched = true;
  };

  function pointed(): Pointed {
    if (!scene) return NOT_POINTED;
    const keyboard = walk.mark();
    if (!pointer) return { id: keyboard, at: null, keyboard };
    const place = inScene(pointer);
    return { id: siteAt(place), at: place, keyboard };
  }

  /** A place of the scene in client pixels. */
  function clientRect(box: Rect): Rect {
    const { left, top } = canvas.getBoundingClientRect();
    const seen = view();
    return { ...box, x: left + box.x - seen.x, y: top + box.y - seen.y };
  }

  function reveal(id: string) {
    const box = scene?.sites.box(id);
    if (box) viewport.reveal(box, scene?.stuck, scene?.foot);
  }

  listen(canvas, signal, {
    pointermove(event) {
      pointer = event.pointerType === "touch" ? null : placeOn(canvas, event);
      drags.move(event);
      hands.moved();
    },
    pointerleave() {
      pointer = null;
      hands.left?.();
      hands.moved();
    },
    blur() {
      walk.rest();
      hands.moved();
    },
    click(event) {
      walk.rest();
      if (drags.tookClick()) return;
      // A click has its place in whole pixels: it is of what is pointed at.
      const id = pointer ? pointed().id : siteAt(at(event));
      if (id) walk.goOnFrom(id);
      hands.press(id, event);
    },
    dblclick: (event) => hands.twice?.(siteAt(at(event)), event),
    keydown(event) {
      if (!scene || !plainKey(event)) return;
      pointer = null;
      if (!walk.use(event, scene)) return;
      used(event);
      hands.moved();
    },
  });
  const heard = { scroll: () => hands.moved(), wheel: touch, pointerdown: touch, keydown: touch };
  listen(viewport.element, signal, heard, { passive: true });

  return {
    element: viewport.element,
    /** As large as the scene, under the canvas and whatever a view lays over it. */
    page,
    canvas,
    /** CSS pixels that a scene has from left to right; 0 while the view is hidden. */
    width: () => viewport.element.clientWidth,
    pointed,
    /** Puts the keyboard's mark on a site, where it goes on from. */
    keyboardAt: walk.goOnFrom,
    /** Draws the scene that `make` gives for this width and what is pointed at; one taller than `most` scrolls. */
    show<S extends Scene>(given: Given, make: (given: Given) => S | string, most = TALLEST) {
      const now = pointed();
      if (isTouched && opened !== viewport.element.scrollTop && view().height > 0) opened = null;
      // In a saved page nothing says that a part of it scrolls: it is as high as what is in it.
      const isSaved = given.room === undefined && given.store.status().state === "saved";
      const whole = isSaved ? Math.max(most, TALLEST) : most;
      const next = viewport.fit((width) => make({ ...given, width, pointed: now }), most, whole);
      if (typeof next === "string") {
        scene = null;
        return next;
      }
      scene = next;
      if (opened !== null) {
        if (next.opened) viewport.element.scrollTop = next.opened(view());
        opened = viewport.element.scrollTop;
      }
      painter.paint(next, view(), given.ratio);
      const { id } = pointed();
      canvas.style.cursor = hands.cursor?.(id) ?? next.sites.cursor?.(id) ?? (id ? "pointer" : "");
      const title = hands.title?.(id) ?? "";
      if (canvas.title !== title) canvas.title = title;
      describe(canvas, next.words, next.about);
      return next;
    },
    view,
    at,
    /** Where a site lies in client pixels. */
    clientBox(id: string) {
      const box = scene?.sites.box(id);
      return box ? clientRect(box) : null;
    },
    clientRect,
    reveal,
    /** From now on it is scrolled to what a scene tells of, until the reader scrolls; `top`: from the top on. */
    follow(top = false) {
      isTouched = false;
      if (top) viewport.element.scrollTop = 0;
      opened = viewport.element.scrollTop;
    },
  };
}

export function placeOn(canvas: HTMLElement, event: Pick<MouseEvent, "clientX" | "clientY">) {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

/** The keyboard's way from site to site. */
function createWalk(hands: Hands, reveal: (id: string) => void) {
  let cursor = "";
  let isMarked = false;
  return {
    /** The site where the keyboard is, as long as its mark is shown. */
    mark: () => (isMarked ? cursor : ""),
    rest() {
      isMarked = false;
    },
    goOnFrom(id: string) {
      cursor = id;
    },
    /** Uses a key; false for one that nothing here uses. */
    use(event: KeyboardEvent, { sites }: Scene): boolean {
      if (hands.keyFirst?.(event)) return true;
      const direction = event.shiftKey ? undefined : DIRECTIONS[event.key];
      const end = event.key === "Home" ? "first" : event.key === "End" ? "last" : undefined;
      const lead = direction ?? end;
      if (lead) {
        const from = cursor && sites.box(cursor) ? cursor : "";
        const next = from || end ? sites.next(from, lead) : sites.next("", "first");
        if (!next) return false;
        cursor = next;
        isMarked = true;
        reveal(cursor);
        hands.arrived?.(cursor, sites.words(cursor));
      } else if ((event.key === "Enter" || event.key === " ") && cursor) hands.press(cursor, event);
      else return hands.key?.(event, isMarked ? cursor : "") ?? false;
      return true;
    },
  };
}

const MARGIN = 24;
/** Canvases have an end. */
const TALLEST = 6000;

function createViewport(document: Document) {
  const viewport = element(document, "div", "kw-viewport");
  const page = element(document, "div", "kw-page", viewport);

  function size(width: number, height: number, most: number, scrolls = height > most) {
    putStyle(viewport, { "overflow-y": scrolls ? "scroll" : "hidden" });
    viewport.toggleAttribute("data-scrolls", scrolls);
    const isWide = width > viewport.clientWidth;
    putStyle(viewport, {
      "overflow-x": isWide ? "auto" : "hidden",
      height: `${Math.min(height, most)}px`,
    });
    putStyle(page, { height: `${height}px`, width: `${width}px` });
  }

  return {
    element: viewport,
    /** As large as the scene, under the canvas and whatever a view lays over it. */
    page,
    /** The part of the scene that is seen. */
    view(): Rect {
      const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = viewport;
      return { x, y, width, height };
    },
    /** Makes room for the scene that `make` gives for a width, and gives it: one with a foot is cut at `room`, any other scrolls from `whole` on. */
    fit<S extends Scene>(make: (width: number) => S | string, room: number, whole: number) {
      let next = make(viewport.clientWidth);
      if (typeof next === "string") return next;
      // A scroll bar takes width: the scene is made for what it leaves, and keeps the bar even if it then fits.
      const scrolled = viewport.hasAttribute("data-scrolls");
      const { foot } = next;
      const most = foot && next.height > room ? cutOf(next, room - foot) + foot : whole;
      size(next.width, next.height, most);
      if (viewport.hasAttribute("data-scrolls") !== scrolled) {
        const again = make(viewport.clientWidth);
        if (typeof again !== "string") next = again;
        size(next.width, next.height, most, next.height > most || !scrolled);
      }
      return next;
    },
    /** Scrolls until a box is seen; `stuck` pixels at the top and `foot` at the bottom stay in view and cover what is under them. */
    reveal(box: Rect, stuck = 0, foot = 0) {
      const above = Math.max(MARGIN, stuck);
      const { scrollTop, scrollLeft, clientWidth } = viewport;
      const clientHeight = viewport.clientHeight - foot;
      const [right, bottom] = [box.x + box.width + MARGIN, box.y + box.height + MARGIN];
      if (box.y - above < scrollTop) viewport.scrollTop = box.y - above;
      else if (bottom > scrollTop + clientHeight) viewport.scrollTop = bottom - clientHeight;
      if (box.x - MARGIN < scrollLeft) viewport.scrollLeft = box.x - MARGIN;
      else if (right > scrollLeft + clientWidth) viewport.scrollLeft = right - clientWidth;
    },
  };
}
