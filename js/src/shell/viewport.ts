/** The window in which a scene is seen: as high as it may be, and scrolling what is more. */

import type { Rect } from "../scene/marks.ts";
import { element, putStyle } from "./element.ts";

const MARGIN = 24;

export function createViewport(document: Document) {
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
    /** What is seen of the scene. */
    view(): Rect {
      const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = viewport;
      return { x, y, width, height };
    },
    /** Makes room for the scene that `make` gives for a width, and gives it; one taller than `most` scrolls. */
    fit<S extends { width: number; height: number }>(
      make: (width: number) => S | string,
      most: number,
    ): S | string {
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
    /** Scrolls until a box is seen; `stuck` pixels at the top stay in view and cover what is under them. */
    reveal(box: Rect, stuck = 0) {
      const above = Math.max(MARGIN, stuck);
      const { scrollTop, clientHeight, scrollLeft, clientWidth } = viewport;
      const [right, bottom] = [box.x + box.width + MARGIN, box.y + box.height + MARGIN];
      if (box.y - above < scrollTop) viewport.scrollTop = box.y - above;
      else if (bottom > scrollTop + clientHeight) viewport.scrollTop = bottom - clientHeight;
      if (box.x - MARGIN < scrollLeft) viewport.scrollLeft = box.x - MARGIN;
      else if (right > scrollLeft + clientWidth) viewport.scrollLeft = right - clientWidth;
    },
  };
}
