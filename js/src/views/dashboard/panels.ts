/** The panels: views of their own, mounted without what the dashboard has for all of them. */

import type { AnyModel, Host } from "@anywidget/types";
import { layerNamed, noteOf } from "../../phi/entries.ts";
import { waitsForBatch } from "../../phi/inputs.ts";
import { latestOf } from "../../scene/logged.ts";
import { type Paged, pictureOf } from "../../scene/still.ts";
import { atEnd, element, listen, putAttributes } from "../../shell/element.ts";
import { createSteadyHeight, heightInSight, scrollingPanel } from "../../shell/in_sight.ts";
import type { Mounted, Shell, Still, Within } from "../../shell/mount.ts";
import { hear, watchTraits } from "../../wire/hear.ts";
import type { StreamExports } from "../../wire/types.ts";
import { heightsOf, leastOf, rowsOf, type Size } from "./scene.ts";

/** Pixels of a panel's drawing at most and at least; what is not here is as tall as it is. */
const DRAWINGS: Readonly<Record<string, Omit<Size, "around">>> = {
  network: { most: 520, least: 330 },
  training: { most: 190, least: 138 },
  kernels: { most: 340, least: 146 },
  function: { most: 340, least: 190 },
  response: { most: 320, least: 184 },
};
/** In so few pixels from left to right a network needs more from top to bottom; a page that scrolls anyway has so many. */
const NARROW = { below: 540, least: 446, most: 640, page: 980 };
/** Before the first batch nothing runs through it, and it is to be seen under the cell that shows it. */
const WAITING = { least: 200, most: 236 };
/** A drawing of fewer pixels is a line of words. */
const FLAT = 60;
/** Between two rows, and around a drawing that is not there yet. */
const BETWEEN_ROWS = 8;
const AROUND = 76;
/** At most this many rows are made to be seen at once. */
const ROWS_SEEN = 2;
/** From this width on panels stand in two columns, and what trains beside the network; from that on the last two of three, where all are to be seen at once. */
const [PAIRED, HALVED] = [760, 500];
/** The panels that show an example, and the trait that says which. */
const EXAMPLES: readonly (readonly [panel: string, trait: string])[] = [
  ["network", "example"],
  ["response", "sample"],
];

interface Named {
  name: string;
  title: string;
  /** What it is, in a sentence. */
  about: string;
  wide: boolean;
  /** The page on which it stands; nothing where there is one page. */
  page?: string;
}

const NO_LINE = { words: "", chosen: false, warns: false };

/** A panel, and the view that is mounted in it. */
type Place = ReturnType<typeof placeIn>;

export function createPanels(shell: Shell, host: Host) {
  const { document, get, signal } = shell;
  const root = element(document, "div", "kw-panels");
  const named = (get("panels_shown") ?? []) as Named[];
  const places = named.map((one) => placeIn(document, root, one));
  const speaker = named.findIndex(({ name }) => name !== "training" && name !== "ranges");
  const modelOf = (name: string) => places.find((one) => one.named.name === name)?.model;
  const open = () => [...places.keys()].filter((k) => !places[k].section.hidden);
  const together = createTogether(open, (drawn) => {
    heights.arrange();
    for (const k of drawn) places[k].draw?.();
  });
  const heights = createHeights(shell, root, places, open, together.isDrawn);
  const { arrange } = heights;
  let all = false;
  let active = 0;
  let waits = false;

  function withinOf(number: number): Within {
    const place = places[number];
    return {
      read(words, chosen = false, warns = false) {
        const { words: before, chosen: was, warns: did } = place.line;
        if (words === before && chosen === was && warns === did) return;
        place.line = { words, chosen, warns };
        shell.schedule();
      },
      // Said by the first panel of the layer for all of them.
      says(remark) {
        const store = shell.store();
        const layer = layerNamed(store?.current() ?? null, shell.get("layer"));
        if (!store || !layer || number === speaker || remark === "") return false;
        return remark === noteOf(layer, store.observed(layer.name));
      },
      height() {
        if (places.every(({ height }) => height === undefined)) arrange();
        return all || !DRAWINGS[place.named.name] ? undefined : place.height;
      },
      seen: () => (all || !heights.areFitted() ? undefined : place.height),
      waits: () => together.waits(number),
      takes: (still, draw) => Object.assign(place, { still, draw }),
    };
  }

  async function mount(ref: string, number: number) {
    const { inside: el } = places[number];
    try {
      const model = await host.getModel(ref);
      const { exports } = await host.getWidget<StreamExports>(String(model.get("stream")));
      if (signal.aborted) return;
      places[number].model = model;
      if (places.every((one) => one.model)) keepTogether(modelOf, shell); // the last finds the others
      watchTraits(model, ["curves", "status"], shell.schedule, signal); // the header has their loss and alarms
      const props: unknown = { model, el, host, signal, within: withinOf(number) };
      exports.render(String(model.get("kind")), props as Mounted);
    } catch (error) {
      if (signal.aborted) return;
      const why = error instanceof Error ? error.message : error;
      element(document, "div", "kw-message", el).textContent = `This panel cannot be read: ${why}`;
    }
  }

  function turn(page: string) {
    root.dataset.page = page;
    const waited = waits;
    waits = waitsForBatch(shell.store());
    const elsewhere = ({ named: { page: own } }: Place) => Boolean(own) && own !== page;
    if (waits === waited && places.every((one) => one.section.hidden === elsewhere(one))) return;
    for (const one of places) one.section.hidden = elsewhere(one);
    active = open()[0] ?? -1;
    arrange();
    for (const k of open()) places[k].draw?.();
  }

  const refs = (get("parts") ?? []) as string[];
  const sizes = new ResizeObserver(arrange);
  // What stands above the panels may take more lines.
  for (const one of [...shell.root.children, document.body]) if (one !== root) sizes.observe(one);
  places.forEach(({ section }, number) => {
    const enter = () => {
      if (active === number) return;
      active = number;
      shell.schedule();
    };
    listen(section, signal, { pointerenter: enter, focusin: enter });
    sizes.observe(section);
    void mount(refs[number], number);
  });
  atEnd(signal, () => sizes.disconnect());
  document.addEventListener("fullscreenchange", arrange, { signal });
  document.defaultView?.addEventListener("resize", arrange, { signal });
  return {
    element: root,
    /** Names of the pages that there are. */
    pages: [...new Set(named.flatMap(({ page: own }) => own || []))],
    turn,
    /** Where the curves are to come, the button that begins is in nobody's way. */
    train() {
      const own = open()
        .map((k) => places[k])
        .find((one) => one.named.name === "training");
      const isOpen = own && !own.isFlat && !own.section.hasAttribute("data-kw-crowded");
      return isOpen ? own.inside : root;
    },
    /** All that there is is shown, as tall as it is. */
    whole(shown: boolean) {
      all = shown;
      for (const { draw } of places) draw?.();
    },
    /** What there is to read, of the panel that is pointed at before others. */
    line() {
      const warning = places.find(({ line }) => line.warns);
      const readable = [places[active], ...open().map((k) => places[k])];
      return (warning ?? readable.find((one) => one?.line.words))?.line ?? NO_LINE;
    },
    /** What goes wrong in a layer now, as the panel of the training says it on its page; "" for nothing. */
    alarmOf(layer: string) {
      const status = modelOf("training")?.get("status") as
        | { alarms?: { text: string }[] }
        | undefined;
      const alarms = (shell.store()?.cursor() ?? 0) < 0 ? status?.alarms : [];
      return alarms?.find(({ text }) => text.startsWith(`${layer}: `))?.text ?? "";
    },
    /** The latest value of a series up to a step as the panel of curves has it, and whether that panel is seen; null where it has none. */
    latest(name: string, until: number) {
      const panel = places.find((one) => one.named.name === "training");
      const found = latestOf(panel?.model?.get("curves"), name, until);
      const isSeen = panel?.section.matches(":not([hidden], [data-kw-crowded])") ?? false;
      return found && { ...found, isSeen };
    },
    /** The panels that are seen, for a saved picture. */
    pictures: () =>
      places.flatMap(({ section, still }): Paged[] => {
        const shown = section.hidden ? null : still?.();
        return shown ? [pictureOf(shown.scene, shown.theme)] : [];
      }),
  };
}

/** Gives the drawings their heights, so that all are seen at once if they can. */
function createHeights(
  shell: Shell,
  root: HTMLElement,
  places: readonly Place[],
  open: () => number[],
  isDrawn: (number: number) => boolean,
) {
  let areFitted = false;

  function arrange() {
    const { page } = root.dataset;
    const isPage = scrollingPanel(shell.root) === null && root.clientWidth < PAIRED;
    const inSight = heightInSight(shell.root);
    const seen = isPage && inSight ? Math.max(inSight, NARROW.page) : inSight;
    const isEmpty = page === "network" && waitsForBatch(shell.store());
    root.toggleAttribute("data-kw-waits", isEmpty);
    const sizes = places.map((place, k) => sizeOf(place, isDrawn(k), isEmpty));
    const rows = standIn(root, places, open(), seen !== undefined && !isPage);
    const of = (row: readonly number[]) => row.map((k) => sizes[k]);
    areFitted = seen !== undefined && rows.length <= ROWS_SEEN;
    const taken = root.offsetTop + BETWEEN_ROWS * rows.length;
    const free = areFitted && seen ? seen - taken : Number.POSITIVE_INFINITY;
    // The curves give way to the network where there is no room for both; a narrow page is scrolled.
    const isTall = rows.length > 1 && leastOf(rows.map(of)) > free;
    const isCrowded = isEmpty || (page === "network" && isTall && !isPage);
    for (const { named, section } of places)
      section.toggleAttribute("data-kw-crowded", isCrowded && named.name === "training");
    const shown = isCrowded ? rows.slice(0, 1) : rows;
    const whole = shell.document.fullscreenElement === shell.root;
    const heights = heightsOf(shown.map(of), free, whole);
    const all = heights.reduce((sum, one) => sum + one + BETWEEN_ROWS, -BETWEEN_ROWS);
    for (const k of open()) {
      const row = shown.findIndex((those) => those.includes(k));
      const { around, least } = sizes[k];
      // Beside a panel with much to say the others still fit.
      const most = Math.max(around + least, free);
      setHeight(places[k], Math.floor(Math.min(most, row < 0 ? all : heights[row]) - around));
    }
  }

  return { arrange, areFitted: () => areFitted };
}

function setHeight(place: Place, height: number) {
  const { height: before, draw } = place;
  if (before !== undefined && Math.abs(height - before) < 2) return;
  place.height = height;
  if (before !== undefined) draw?.();
}

function placeIn(document: Document, root: HTMLElement, named: Named) {
  const { title, about, name } = named;
  const section = element(document, "section", "kw-panel", root);
  section.dataset.panel = name;
  putAttributes(section, { "aria-label": about });
  const head = element(document, "div", "kw-panel-head", section);
  head.title = about;
  head.textContent = title;
  const inside = element(document, "div", "kw-panel-inside", section);
  return {
    named,
    section,
    inside,
    model: null as AnyModel | null,
    line: NO_LINE,
    still: null as (() => Still | null) | null,
    draw: null as (() => void) | null,
    /** Pixels of its drawing; undefined before it asks. */
    height: undefined as number | undefined,
    /** Of what is around that, without what goes to and fro. */
    steady: createSteadyHeight(),
    around: AROUND,
    /** It has no curves, and stands below the others. */
    isFlat: false,
  };
}

function sizeOf(place: Place, isDrawn: boolean, waits: boolean): Size {
  const { section, inside, named, model, steady } = place;
  const view = inside.querySelector<HTMLElement>(".kw-view");
  const drawn = (isDrawn && view?.querySelector(".kw-viewport")?.clientHeight) || 0;
  // What does not show itself yet takes no room.
  const height = section.offsetHeight + (view ? view.scrollHeight - view.offsetHeight : 0);
  if (drawn > 1) place.around = steady(height - drawn);
  place.isFlat = named.name === "training" && (waits || (drawn > 1 && drawn < FLAT));
  const own = place.isFlat ? undefined : DRAWINGS[named.name];
  const { most, least } = own ?? { most: drawn, least: drawn };
  const asked = named.name === "network" && Number(model?.get("height"));
  const isNarrow = named.name === "network" && section.offsetWidth < NARROW.below;
  if (named.name === "network" && waits) return { around: place.around, ...WAITING };
  if (isNarrow) return { around: place.around, ...NARROW };
  return { around: place.around, most: asked || most, least };
}

/** Puts the panels that are `open` into rows, by what is set for the style sheet, and gives these; one that spans them is in none. */
function standIn(
  root: HTMLElement,
  places: readonly Place[],
  open: readonly number[],
  isAtOnce: boolean,
): number[][] {
  const {
    clientWidth: width,
    dataset: { page },
  } = root;
  const isPaired = width >= PAIRED;
  const isFlat = open.some((k) => places[k].isFlat);
  const isBeside = page === "network" && open.length > 1 && !isFlat && isPaired;
  root.toggleAttribute("data-kw-beside", isBeside);
  const wide = open.map((k) => places[k].named.wide && !isBeside);
  // Of three the first stands beside the two others, or over them.
  const areThree = open.length === 3 && !wide.includes(true);
  const spans = isPaired && areThree;
  const isOver = !isPaired && areThree && isAtOnce && width >= HALVED;
  root.toggleAttribute("data-kw-spans", spans);
  root.toggleAttribute("data-kw-over", isOver);
  const apart = isPaired ? rowsOf(wide) : open.map((_, n) => [n]);
  const found = spans ? [[1], [2]] : isOver ? [[0], [1, 2]] : apart;
  const isWhole = new Set(
    (isPaired && !spans) || isOver ? found.filter(({ length }) => length === 1).flat() : [],
  );
  open.forEach((k, n) => {
    places[k].section.toggleAttribute("data-whole", isWhole.has(n));
  });
  return found.map((row) => row.map((n) => open[n]));
}

/** One example in all panels that show one, of the same images. */
function keepTogether(
  modelOf: (name: string) => AnyModel | null | undefined,
  { get, signal }: Shell,
) {
  const [one, other] = EXAMPLES.map(([panel, trait]) => ({ model: modelOf(panel), trait }));
  for (const [from, to] of [
    [one, other],
    [other, one],
  ]) {
    if (!from.model) continue;
    const tell = () => {
      const number = Number(from.model?.get(from.trait));
      if (number < 0 || get("shared") !== true || to.model?.get(to.trait) === number) return;
      to.model?.set(to.trait, number);
      to.model?.save_changes();
    };
    hear(from.model, { [`change:${from.trait}`]: tell }, signal);
  }
}

/** Panels show themselves together, when the last of those in `places` has been drawn: so none moves another. */
function createTogether(places: () => number[], all: (places: number[]) => void) {
  const [drawn, shown] = [new Set<number>(), new Set<number>()];
  return {
    isDrawn: (number: number) => drawn.has(number),
    /** One has been drawn: whether it waits for the others. */
    waits(number: number): boolean {
      if (shown.has(number)) return false;
      drawn.add(number);
      const now = places();
      if (!now.every((k) => drawn.has(k))) return true;
      for (const k of now) shown.add(k);
      all(now);
      return true;
    },
  };
}
