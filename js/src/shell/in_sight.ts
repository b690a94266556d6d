/** What is in sight at once: how high a view may be, and the views of a training that begins are brought there. */

import { waitsForBatch } from "../phi/inputs.ts";
import { isUnderWay } from "../wire/standing.ts";
import type { Store } from "../wire/types.ts";

/** Pixels between a view and the ends of what it is seen in. */
const MARGIN = 16;
/** In so many a network that nothing runs through is seen whole. */
const ENOUGH = 300;
/** Over the first view of a page stands no more than this share of what is seen. */
const HEADING = 0.35;
/** Up to this many pixels outside it is nearly in sight. */
const NEAR = 200;
const HANDS = ["wheel", "touchmove", "pointerdown", "keydown"];
/** Streams whose views have come into sight since their training began, and whether they come again when they grow: until the reader does something. */
const broughtIn = new WeakMap<Store, boolean>();
const waiting = new WeakSet<Store>();
/** Views that have been drawn, and whether their heads come into sight again when they grow: until the reader does something. */
const met = new WeakMap<HTMLElement, boolean>();

/** The part of the page that scrolls around an element, a notebook's panel; null where the page itself does. */
export function scrollingPanel(element: Element): Element | null {
  const { body, documentElement, defaultView } = element.ownerDocument;
  let outermost: Element | null = null;
  for (let node = element.parentElement; node && node !== body; node = node.parentElement) {
    const style = defaultView?.getComputedStyle(node);
    const scrolls = node !== documentElement && /auto|scroll/.test(style?.overflowY ?? "");
    if (scrolls && !growsWith(node)) outermost = node;
  }
  return outermost;
}

/** Whether a box that could scroll is just as high as what is in it, as the outputs of a saved page are: it shows all of whatever height. */
function growsWith(box: Element): boolean {
  const [end, ...parts] = [box, ...box.children].map((each) => each.getBoundingClientRect().bottom);
  const last = Math.max(...parts);
  return box.scrollHeight === box.clientHeight && Math.abs(end - last) < 1;
}

/** Pixels from top to bottom in which an element is seen at once; undefined in a frame that grows with what is in it. */
export function heightInSight(element: Element): number | undefined {
  const { defaultView: window, fullscreenElement } = element.ownerDocument;
  if (!window) return undefined;
  const panel = fullscreenElement?.contains(element) ? null : scrollingPanel(element);
  if (panel) return Math.min(panel.clientHeight, window.innerHeight) - MARGIN;
  if (window.parent !== window) return undefined;
  // What a page begins with is seen under its heading.
  const top = element.getBoundingClientRect().top + window.scrollY;
  const isFirst = !fullscreenElement && top < HEADING * window.innerHeight;
  return window.innerHeight - MARGIN - (isFirst ? Math.round(top) : 0);
}

/** Likewise of what waits for its first batch, with which it grows: what is left under its cell, if that is enough. */
function heightLeft(view: Element): number | undefined {
  const [all, panel] = [heightInSight(view), scrollingPanel(view)];
  const [top, end] = [view, panel ?? view].map((one) => one.getBoundingClientRect());
  const left = Math.round(end.bottom - top.top) - MARGIN;
  return all && panel && left >= ENOUGH ? Math.min(all, left) : all;
}

/** How often a reader has done something: what goes to and fro after that is what it did. */
let hands = 0;
export const noteHand = () => void hands++;

/** Of numbers that go to and fro between two by themselves, the larger: words may wrap in the room left, and then leave another. */
export function createSteadyHeight(): (next: number) => number {
  let [before, last, since] = [Number.NaN, Number.NaN, hands];
  return (next) => {
    if (since !== hands) [before, last, since] = [Number.NaN, Number.NaN, hands];
    const returns = next === before && next < last;
    if (next !== last && !returns) [before, last] = [last, next];
    return last;
  };
}

/** Pixels in which a drawing is seen at once together with all that stands around it in its view. To measure them has the page laid out, so that is done after something changed; a frame of a training changes no size. */
export function drawingInSight(view: HTMLElement, drawing: HTMLElement, shown: () => Store | null) {
  const steady = createSteadyHeight();
  let [isOld, waits] = [true, false];
  let [usual, wide] = [0, Number.NaN];
  let height: number | undefined;
  return {
    changed(isSo: boolean) {
      isOld ||= isSo;
    },
    height() {
      const isWaiting = waitsForBatch(shown());
      if (!isOld && isWaiting === waits) return height;
      [isOld, waits] = [false, isWaiting];
      const all = waits ? heightLeft(view) : heightInSight(view);
      // What is read below it may take more lines: nothing moves for them.
      const read = view.querySelector<HTMLElement>(":scope > .kw-readout-row")?.offsetHeight ?? 0;
      if (view.clientWidth !== wide) [usual, wide] = [read, view.clientWidth];
      height = all && all - steady(view.scrollHeight - drawing.offsetHeight - (read - usual));
      return height;
    },
  };
}

/** Where a notebook has gone on to the next cell and left the head of a new view above what is seen, goes back to that: the view is what its cell was run for. */
function showHead(view: HTMLElement): void {
  const next = view.closest(".jp-Cell")?.nextElementSibling;
  const panel = scrollingPanel(view);
  const isNext = panel && next?.matches(".jp-mod-commandMode .jp-mod-active");
  if (isNext && !met.has(view)) whenUsed(panel, () => met.set(view, false));
  met.set(view, Boolean(isNext));
  if (!isNext) return;
  const [box, { top }] = [view, panel].map((one) => one.getBoundingClientRect());
  if (box.top < top && box.bottom > top - NEAR) panel.scrollTop += box.top - top;
}

/** Calls `stop` when the reader does something in a panel. */
function whenUsed(panel: Element, stop: () => void): void {
  for (const kind of HANDS) panel.addEventListener(kind, stop, { once: true, passive: true });
}

/** When a training begins, brings its views that are nearly in sight there, the lowest first: a cell that is run scrolls them away. A network comes again with its first batch, with which it grows. */
export function bringIntoSight(view: HTMLElement, store: Store | null, hasGrown = false): void {
  if (!store) return;
  if (hasGrown ? met.get(view) : !met.has(view)) showHead(view);
  const standing = store.standing();
  if (!isUnderWay(standing)) broughtIn.delete(store);
  const grows = view.parentElement?.querySelector(".kw-network-view");
  const isEarly = Boolean(grows) && waitsForBatch(store);
  if (isEarly) waiting.add(store);
  const isFirst = !isEarly && waiting.delete(store);
  const follows = isFirst ? undefined : broughtIn.get(store);
  const begins = isFirst || standing.state === "running";
  if (!(follows === undefined ? begins : follows && hasGrown)) return;
  broughtIn.set(store, true);
  const panel = scrollingPanel(view);
  if (!panel) return;
  // After the end of a training it is nothing that the next one has to do with.
  const stop = () => void (broughtIn.has(store) && broughtIn.set(store, false));
  if (follows === undefined) whenUsed(panel, stop);
  const bounds = panel.getBoundingClientRect();
  const views = panel.querySelectorAll(
    `[data-stream="${view.dataset.stream}"]:not([data-kw-within])`,
  );
  const boxes = [...views].flatMap((one) => {
    const whole = one.getBoundingClientRect();
    if (whole.height <= bounds.height) return [whole];
    if (follows) return []; // it has outgrown the panel: its reader goes on where it was
    return [...one.querySelectorAll(".kw-viewport")].map((part) => part.getBoundingClientRect());
  });
  let [top, bottom] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const box of boxes.reverse()) {
    const isNear = box.bottom > bounds.top - NEAR && box.top < bounds.bottom + NEAR;
    if (box.height === 0 || !isNear) continue;
    const reach = [Math.min(top, box.top), Math.max(bottom, box.bottom)];
    if (reach[1] - reach[0] <= bounds.height) [top, bottom] = reach;
  }
  if (top < bottom)
    panel.scrollTop += Math.min(top - bounds.top, Math.max(0, bottom - bounds.bottom));
}
