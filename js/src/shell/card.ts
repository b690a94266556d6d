/** A training whose views are all scrolled out of sight shows a card in a corner of what is seen, until one is back. */

import type { AnyModel } from "@anywidget/types";
import { formatNumber } from "../phi/format.ts";
import { CARD, cardMarks, type Told } from "../scene/card.ts";
import { type Drawing, NOT_POINTED } from "../scene/drawing.ts";
import { isUnderWay, latestLoss, lookOf } from "../wire/standing.ts";
import type { Store } from "../wire/types.ts";
import { createPainter } from "./canvas.ts";
import { createKit, createSteering } from "./controls.ts";
import { atEnd, element, listen, putAttributes, putStyle, putWords } from "./element.ts";
import { scrollingPanel } from "./in_sight.ts";
import { createPace } from "./pace.ts";
import { statusText } from "./status.ts";
import { paintTheme, watchTheme } from "./theme.ts";

/** A view of which less is seen, as a share and in pixels, is out of sight; of its foot alone, under the drawing, more is needed. */
const SEEN = { head: [0.3, 240], foot: [0.45, 340] } as const;
/** Pixels between the card and the ends of what is seen; and those it leaves free around the line that is typed in. */
const EDGE = 14;
const AIR = 24;
/** Milliseconds between two drawings that frames ask for. */
const DRAW_PAUSE = 200;
/** The key under which a page remembers that the card was closed. */
const CLOSED = "kan_widgets: card closed";

/** The size of a diagram that nobody sees: only what it says is shown. */
const DIAGRAM = { width: 960, height: 480 };

const cards = new WeakMap<Store, ReturnType<typeof createCard>>();
/** On views that are seen, of any training: a card would lie on them. Trainings know of each other by the page alone, and by this event. */
const SEEN_MARK = "data-kw-seen";
const CHANGED = "kw-sight";

/** Makes the diagrams whose example and function cards show; the registry of views names it. */
export const CARD_DIAGRAM: { drawing: () => Drawing<Told> } = { drawing: () => () => "" };

/** The latest view of a network, by stream: the card of a training has its example. */
const networks = new WeakMap<Store, AnyModel>();

/** Has cards show the example that a network's view has, also of one within another view. */
export function shareExample(model: AnyModel, store: Store): void {
  if (model.get("kind") === "network_view") networks.set(store, model);
}

/** What trainings are called, where that is more than the class of the model: in a comparison. */
const names = new WeakMap<Store, string>();

/** Has a card show a view's training while no view of that training is seen. */
export function watchSight(view: HTMLElement, store: Store, signal: AbortSignal, name = ""): void {
  if (name) names.set(store, name);
  const card = cards.get(store) ?? createCard(view.ownerDocument, store);
  cards.set(store, card);
  card.add(view, signal);
}

function createCard(document: Document, store: Store) {
  const window = document.defaultView as Window & typeof globalThis;
  const life = new AbortController();
  const { signal } = life;
  const views = new Set<HTMLElement>();
  const pace = createPace(window, draw);
  const root = element(document, "div", "kw-card");
  root.hidden = true;
  putAttributes(root, { role: "region", "aria-label": "Training that is out of sight" });
  const head = element(document, "div", "kw-card-head", root);
  const name = element(document, "strong", "kw-card-name", head);
  const kit = createKit(document, signal);
  const steering = createSteering(
    document,
    () => store,
    () => {},
    signal,
  );
  const closeButton = kit.button("✕", "Close this card: it does not come back", "kw-button", close);
  head.append(...steering.boxes.slice(0, 1), closeButton);
  const statusLine = element(document, "div", "kw-card-words", root);
  const backButton = kit.button("", "Back to the picture", "kw-card-picture", goBack);
  const backWords = element(document, "span", "", backButton);
  const canvas = element(document, "canvas", "", backButton);
  root.append(backButton);
  const painter = createPainter(canvas);
  const diagram = CARD_DIAGRAM.drawing();
  let later: ReturnType<typeof setTimeout> | undefined;

  /** The part of the page in which the views stand, as it was last on the page. */
  let panel: Element | null = null;
  /** How far down in the panel a view stands: a notebook takes cells that are far away out of the page. */
  let viewTop = 0;

  function isWanted() {
    return (
      document.querySelector(`[${SEEN_MARK}]`) === null &&
      isUnderWay(store.standing()) &&
      window.sessionStorage?.getItem(`${CLOSED} ${window.location.pathname}`) === null
    );
  }

  function close() {
    window.sessionStorage?.setItem(`${CLOSED} ${window.location.pathname}`, "");
    pace.now();
  }

  function goBack() {
    const [first] = views;
    if (panel && !first?.isConnected) panel.scrollTop = viewTop;
    first?.scrollIntoView({ block: "center" });
  }

  function draw() {
    const place = isWanted() ? placeFor(root, panel) : null;
    root.hidden = place === null;
    if (!place) return;
    const theme = paintTheme(root, root, "auto");
    putStyle(root, { left: `${place.x}px`, top: `${place.y}px` });
    steering.show();
    const standing = store.standing();
    const loss = latestLoss(standing);
    const words = statusText(store.current()?.step ?? null, standing);
    putWords(name, names.get(store) || standing.model || "Training");
    statusLine.toggleAttribute("data-warns", lookOf(standing) === "diverged");
    putWords(statusLine, loss ? `${words} · ${loss.name} ${formatNumber(loss.value)}` : words);
    const ratio = window.devicePixelRatio || 1;
    const get = (trait: string) => networks.get(store)?.get(trait);
    const made = diagram({ store, get, ...DIAGRAM, theme, ratio, pointed: NOT_POINTED });
    const scene = typeof made === "string" ? null : made;
    const marks = scene ? cardMarks(store, scene, theme) : [];
    canvas.hidden = marks.length === 0;
    putWords(backWords, canvas.hidden ? "back to the picture" : "");
    const whole = { x: 0, y: 0, ...CARD };
    if (scene) painter.paint({ ...scene, ...CARD, sheets: [{ marks: () => marks }] }, whole, ratio);
    const said = [words, scene?.verdict, scene?.shown?.name].filter(Boolean).join(", ");
    putAttributes(backButton, { "aria-label": `Back to the picture: ${said}` });
  }

  const observer = observeSight(window, views, (view) => {
    const { height, top } = view.getBoundingClientRect();
    panel = scrollingPanel(view) ?? panel;
    if (panel && height > 0) viewTop = top - panel.getBoundingClientRect().top + panel.scrollTop;
  });
  store.subscribe(() => {
    if (root.hidden && !isWanted()) return;
    later ??= setTimeout(() => {
      later = undefined;
      pace.soon();
    }, DRAW_PAUSE);
  }, signal);
  // Where the caret goes the card gives way.
  const look = () => root.hidden || pace.now();
  listen(document, signal, { keyup: look, pointerup: look, focusin: look });
  document.addEventListener(CHANGED, pace.now, { signal });
  listen(window, signal, { resize: look });
  watchTheme(root, look, signal);
  atEnd(signal, () => {
    observer.disconnect();
    pace.stop();
    clearTimeout(later);
    root.remove();
    cards.delete(store);
  });

  return {
    add(view: HTMLElement, viewSignal: AbortSignal) {
      views.add(view);
      view.toggleAttribute(SEEN_MARK, true);
      observer.observe(view);
      const where = view.getRootNode();
      if (!root.isConnected) (where instanceof ShadowRoot ? where : document.body).append(root);
      atEnd(viewSignal, () => {
        views.delete(view);
        view.removeAttribute(SEEN_MARK);
        observer.unobserve(view);
        if (views.size === 0) life.abort();
      });
    },
  };
}

/** Keeps which views are in sight, for all cards; `seen` is called with each view of which now more or less is seen. */
function observeSight(
  { IntersectionObserver }: typeof globalThis,
  views: ReadonlySet<HTMLElement>,
  seen: (view: HTMLElement) => void,
): IntersectionObserver {
  const onChange = (entries: readonly IntersectionObserverEntry[]) => {
    for (const { target, intersectionRect: seenBox, boundingClientRect } of entries) {
      const view = target as HTMLElement;
      // What is not drawn yet has no height.
      if (!views.has(view) || "kwUnborn" in view.dataset) continue;
      const { height, top } = boundingClientRect;
      const [share, pixels] = seenBox.top > top + 1 ? SEEN.foot : SEEN.head;
      const least = Math.min(share * height, pixels);
      view.toggleAttribute(SEEN_MARK, height > 0 && seenBox.height >= least);
      seen(view);
      view.ownerDocument.dispatchEvent(new Event(CHANGED));
    }
  };
  return new IntersectionObserver(onChange, {
    threshold: Array.from({ length: 21 }, (_, k) => k / 20),
  });
}

const overlap = (a: DOMRect, b: DOMRect) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** A place at an edge of what is seen, from its lower right corner on, where the card covers nothing that is typed and no other card; null where there is none. */
function placeFor(root: HTMLElement, panel: Element | null): { x: number; y: number } | null {
  const document = root.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const page = new DOMRect(0, 0, window.innerWidth, window.innerHeight);
  const { left: edge, right, top, bottom } = panel?.getBoundingClientRect() ?? page;
  const [width, height] = [CARD.width + 18, CARD.height + 64];
  // Where a panel is narrow it may lie on what stands beside that.
  const left = Math.max(0, Math.min(edge, right - width - 2 * EDGE));
  const hasRoom = right - left >= width + 2 * EDGE && bottom - top > height + 2 * EDGE;
  if (!hasRoom || (panel && !panel.isConnected)) return null;
  const step = height + EDGE;
  const all = [...document.querySelectorAll(".kw-card:not([hidden])")].filter(
    (one) => one !== root,
  );
  const rows = Math.floor((bottom - top - EDGE) / step);
  const places = [right - width - EDGE, left + EDGE]
    .flatMap((x) =>
      Array.from(
        { length: rows },
        (_, n) => new DOMRect(x, bottom - (n + 1) * step, width, height),
      ),
    )
    .filter((place) => !all.some((one) => overlap(place, one.getBoundingClientRect())));
  const typed = document.activeElement?.closest(".cm-editor, textarea, input, [contenteditable]");
  const box = typed?.getBoundingClientRect() ?? new DOMRect();
  const caret = window.getSelection()?.focusNode?.parentElement;
  const line = (typed?.contains(caret ?? null) && caret?.getBoundingClientRect()) || box;
  const caretArea = new DOMRect(left, line.top - AIR, right - left, line.height + 2 * AIR);
  return (
    places.find((place) => !overlap(place, box)) ??
    places.find((place) => !overlap(place, caretArea)) ??
    null
  );
}
