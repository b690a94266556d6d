/** The window in which a scene is seen: as high as it may be, and scrolling what is more. */

import type { Rect } from "../scene/marks.ts";
import { element } from "./element.ts";

export interface Viewport {
  element: HTMLElement;
  /** As large as the scene, under the canvas and whatever a view lays over it. */
  page: HTMLElement;
  /** What is seen of the scene. */
  view(): Rect;
  /** Makes room for the scene that `make` gives for a width, and gives it; one taller than `most` scrolls. */
  fit<S extends { width: number; height: number }>(
    make: (width: number) => S | string,
    most: number,
  ): S | string;
  /** Scrolls until a box is seen. */
  /** `stuck` pixels at the top stay in view and cover what is under them. */
  reveal(box: Rect, stuck?: number): void;
}

const MARGIN = 24;

export function createViewport(document: Document): Viewport {
  const viewport = element(document, "div", "kw-viewport");
  const page = element(document, "div", "kw-page", viewport);

  function size(width: number, height: number, most: number, scrolls = height > most) {
    style(viewport, "overflowY", scrolls ? "scroll" : "hidden");
    viewport.toggleAttribute("data-scrolls", scrolls);
    style(viewport, "overflowX", width > viewport.clientWidth ? "auto" : "hidden");
    style(viewport, "height", `${Math.min(height, most)}px`);
    style(page, "height", `${height}px`);
    style(page, "width", `${width}px`);
  }

  return {
    element: viewport,
    page,
    view() {
      const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = viewport;
      return { x, y, width, height };
    },
    fit(make, most) {
      let next = make(viewport.clientWidth);
      if (typeof next === "string") return next;
      // A scroll bar takes width: the scene is made for what it leaves, and keeps the bar even if it then fits.
      const scrolled = viewport.hasAttribute("data-scrolls");
      size(next.width, next.height, most);
      if (viewport.hasAttribute("data-scrolls") !== scrolled) {
        const again = make(viewport.clientWidth);
        if (typeof again !== "string") next = again;
        size(next.width, next.height, most, next.height > most || !scrolled);
      }
      return next;
    },
    reveal(box, stuck = 0) {
      const above = Math.max(MARGIN, stuck);
      const { scrollTop, clientHeight, scrollLeft, clientWidth } = viewport;
      if (box.y - above < scrollTop) viewport.scrollTop = box.y - above;
      else if (box.y + box.height + MARGIN > scrollTop + clientHeight) {
        viewport.scrollTop = box.y + box.height + MARGIN - clientHeight;
      }
      if (box.x - MARGIN < scrollLeft) viewport.scrollLeft = box.x - MARGIN;
      else if (box.x + box.width + MARGIN > scrollLeft + clientWidth) {
        viewport.scrollLeft = box.x + box.width + MARGIN - clientWidth;
      }
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
