/** The canvas of a scene: sizes and scrolls it, and tells what is pointed at by the ids of its sites. */

import type { Pointed } from "../scene/drawing.ts";
import { NOTHING } from "../scene/drawing.ts";
import type { Rect, Scene } from "../scene/marks.ts";
import { describe } from "./alternative.ts";
import { createPainter } from "./canvas.ts";
import { element } from "./element.ts";
import { DIRECTIONS, plainKey, used } from "./keys.ts";

/** What happens between the pointer's going down and its going up. Places are those of the scene. */
export interface Drag {
  move(at: Place, event: PointerEvent): void;
  /** The pointer is up, or was taken away. */
  end(): void;
  /** What gets the keyboard; the canvas by default. */
  focus?: HTMLElement | undefined;
}

export interface Place {
  x: number;
  y: number;
}

export interface Hands {
  /** Something else is pointed at: draw again. */
  moved(): void;
  /** The site was clicked, or chosen by Enter; "" is between sites. */
  press(id: string, event: MouseEvent | KeyboardEvent): void;
  /** The keyboard came to a site. */
  arrived?(id: string): void;
  /** A key that the stage does not use itself; true where the view did. */
  key?(event: KeyboardEvent, id: string): boolean;
  /** Double click. */
  twice?(id: string, event: MouseEvent): void;
  /** The pointer went down there: what comes back is told of its moves until it is up. A drag that moved is no press. */
  grab?(id: string, at: Place, event: PointerEvent): Drag | null;
  /** Whether a finger that goes down on a site drags that and not the page. */
  holds?(id: string): boolean;
  /** The pointer left the canvas. */
  left?(): void;
  /** A key, before the stage takes it to go from site to site; true where the view used it. */
  keyFirst?(event: KeyboardEvent): boolean;
  /** How the pointer looks over a site; a hand over all by default. */
  cursor?(id: string): string;
  /** Said beside the pointer when it rests on a site. */
  title?(id: string): string;
}

export interface Stage {
  element: HTMLElement;
  /** As large as the scene, under the canvas and whatever a view lays over it. */
  page: HTMLElement;
  canvas: HTMLCanvasElement;
  /** CSS pixels that a scene has from left to right; 0 while the view is hidden. */
  width(): number;
  pointed(): Pointed;
  /** Puts the keyboard's mark on a site, where it goes on from. */
  keyboardAt(id: string): void;
  /** Draws the scene that `make` gives for a width; one taller than `most` scrolls. */
  show<S extends Scene>(
    make: (width: number) => S | string,
    most: number,
    ratio: number,
  ): S | string;
  /** What is seen of the scene. */
  view(): Rect;
  /** Where a site lies in client pixels. */
  clientBox(id: string): Rect | null;
  /** Scrolls until a site is seen. */
  reveal(id: string): void;
  scrollToTop(): void;
}

const MARGIN = 24;
/** Pixels that a hand moves without meaning it. */
const TREMOR = 2;

export function createStage(document: Document, hands: Hands, signal: AbortSignal): Stage {
  const viewport = element(document, "div", "kw-viewport");
  const page = element(document, "div", "kw-page", viewport);
  const canvas = element(document, "canvas", "kw-canvas", page);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  const painter = createPainter(canvas);

  let scene: Scene | null = null;
  let pointer: Place | null = null;
  let cursor = "";
  let keyboard = false;
  let drag: Drag | null = null;
  let start: Place = { x: 0, y: 0 };
  let dragged = false;

  function view(): Rect {
    const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = viewport;
    return { x, y, width, height };
  }

  function here(event: MouseEvent) {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  function inScene(place: Place): Place {
    const seen = view();
    return { x: place.x + seen.x, y: place.y + seen.y };
  }

  function siteAt(place: Place | null): string {
    if (!scene || !place) return "";
    const { x, y } = inScene(place);
    return scene.sites.at(x, y, view());
  }

  function pointed(): Pointed {
    if (!scene) return NOTHING;
    const mark = keyboard ? cursor : "";
    if (!pointer) return { id: mark, at: null, keyboard: mark };
    return { id: siteAt(pointer), at: inScene(pointer), keyboard: mark };
  }

  function size(width: number, height: number, most: number, scrolls = height > most) {
    style(viewport, "overflowY", scrolls ? "scroll" : "hidden");
    viewport.toggleAttribute("data-scrolls", scrolls);
    style(viewport, "overflowX", width > viewport.clientWidth ? "auto" : "hidden");
    style(viewport, "height", `${Math.min(height, most)}px`);
    style(page, "height", `${height}px`);
    style(page, "width", `${width}px`);
  }

  function reveal(id: string) {
    const box = scene?.sites.box(id);
    if (!box) return;
    const { scrollTop, clientHeight, scrollLeft, clientWidth } = viewport;
    const above = Math.max(MARGIN, scene?.stuck ?? 0);
    if (box.y - above < scrollTop) viewport.scrollTop = box.y - above;
    else if (box.y + box.height + MARGIN > scrollTop + clientHeight) {
      viewport.scrollTop = box.y + box.height + MARGIN - clientHeight;
    }
    if (box.x - MARGIN < scrollLeft) viewport.scrollLeft = box.x - MARGIN;
    else if (box.x + box.width + MARGIN > scrollLeft + clientWidth) {
      viewport.scrollLeft = box.x + box.width + MARGIN - clientWidth;
    }
  }

  function onKey(event: KeyboardEvent) {
    if (!scene || !plainKey(event)) return;
    if (hands.keyFirst?.(event)) {
      pointer = null;
      used(event);
      hands.moved();
      return;
    }
    const { sites } = scene;
    const direction = event.shiftKey ? undefined : DIRECTIONS[event.key];
    const end = event.key === "Home" ? "first" : event.key === "End" ? "last" : undefined;
    const way = direction ?? end;
    pointer = null;
    if (way) {
      const known = cursor && sites.box(cursor) ? cursor : "";
      const next = known || end ? sites.next(known, way) : sites.next("", "first");
      if (!next) return;
      cursor = next;
      keyboard = true;
      reveal(cursor);
      hands.arrived?.(cursor);
    } else if ((event.key === "Enter" || event.key === " ") && cursor) hands.press(cursor, event);
    else if (!hands.key?.(event, keyboard ? cursor : "")) return;
    used(event);
    hands.moved();
  }

  canvas.addEventListener(
    "pointermove",
    (event) => {
      const at = here(event);
      pointer = event.pointerType === "touch" ? null : at;
      if (drag) {
        dragged ||= Math.abs(at.x - start.x) + Math.abs(at.y - start.y) > TREMOR;
        drag.move(inScene(at), event);
      }
      hands.moved();
    },
    { signal },
  );
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      dragged = false;
      if (event.button !== 0 || !hands.grab) return;
      start = here(event);
      drag = hands.grab(siteAt(start), inScene(start), event);
      if (drag) canvas.setPointerCapture?.(event.pointerId);
    },
    { signal },
  );
  for (const kind of ["pointerup", "pointercancel"] as const) {
    canvas.addEventListener(
      kind,
      () => {
        drag?.end();
        drag = null;
      },
      { signal },
    );
  }
  canvas.addEventListener(
    "mousedown",
    (event) => {
      if (!drag) return;
      // No text is marked on the way; the keyboard comes here all the same.
      event.preventDefault();
      (drag.focus ?? canvas).focus({ preventScroll: true });
    },
    { signal },
  );
  canvas.addEventListener(
    "touchstart",
    (event) => {
      const [finger] = event.touches;
      const box = canvas.getBoundingClientRect();
      const at = finger && { x: finger.clientX - box.left, y: finger.clientY - box.top };
      if (at && event.cancelable && hands.holds?.(siteAt(at))) event.preventDefault();
    },
    { signal, passive: false },
  );
  for (const kind of ["pointerleave", "blur"] as const) {
    canvas.addEventListener(
      kind,
      () => {
        if (kind === "blur") keyboard = false;
        else {
          pointer = null;
          hands.left?.();
        }
        hands.moved();
      },
      { signal },
    );
  }
  canvas.addEventListener(
    "click",
    (event) => {
      keyboard = false;
      if (dragged) {
        dragged = false;
        return;
      }
      const id = siteAt(here(event));
      if (id) cursor = id;
      hands.press(id, event);
    },
    { signal },
  );
  canvas.addEventListener("dblclick", (event) => hands.twice?.(siteAt(here(event)), event), {
    signal,
  });
  canvas.addEventListener("keydown", onKey, { signal });
  viewport.addEventListener("scroll", () => hands.moved(), { signal, passive: true });

  return {
    element: viewport,
    page,
    canvas,
    width: () => viewport.clientWidth,
    pointed,
    keyboardAt(id) {
      cursor = id;
    },
    show(make, most, ratio) {
      let next = make(viewport.clientWidth);
      if (typeof next === "string") {
        scene = null;
        return next;
      }
      // A scroll bar takes width: the scene is made for what it leaves, and keeps the bar even if it then fits.
      const scrolled = viewport.hasAttribute("data-scrolls");
      size(next.width, next.height, most);
      if (viewport.hasAttribute("data-scrolls") !== scrolled) {
        const again = make(viewport.clientWidth);
        if (typeof again !== "string") next = again;
        size(next.width, next.height, most, next.height > most || !scrolled);
      }
      scene = next;
      painter.paint(next, view(), ratio);
      const { id } = pointed();
      canvas.style.cursor = hands.cursor?.(id) ?? (id ? "pointer" : "");
      const title = hands.title?.(id) ?? "";
      if (canvas.title !== title) canvas.title = title;
      describe(canvas, next.words, next.about);
      return next;
    },
    view,
    clientBox(id) {
      const box = scene?.sites.box(id);
      if (!box) return null;
      const { left, top } = canvas.getBoundingClientRect();
      return { ...box, x: left + box.x - viewport.scrollLeft, y: top + box.y - viewport.scrollTop };
    },
    reveal,
    scrollToTop() {
      viewport.scrollTop = 0;
    },
  };
}

function style(
  target: HTMLElement,
  name: "overflowX" | "overflowY" | "height" | "width",
  value: string,
) {
  if (target.style[name] !== value) target.style[name] = value;
}
