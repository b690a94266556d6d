/** The panels: views of their own, mounted without what the dashboard has for all of them. */

import type { AnyModel, Host, RenderProps } from "@anywidget/types";
import { layerNamed } from "../../phi/entries.ts";
import { latestOf } from "../../scene/logged.ts";
import { type Paged, pictureOf } from "../../scene/still.ts";
import { element } from "../../shell/element.ts";
import type { Mounted, Shell, Still } from "../../shell/mount.ts";
import { createSteady, seenAround } from "../../shell/room.ts";
import { watchTraits } from "../../wire/hear.ts";
import { createTogether, fitted, heightsOf, type Panel, rowsOf } from "./arrange.ts";

/** Pixels of a row's drawings in a page, so that two rows fit a laptop's window; and of what is around a drawing. */
const ROOM = 188;
const AROUND = 76;
/** Between two rows: see the style sheet. */
const GAP = 8;
/** So many rows at most are made to be seen at once. */
const ROWS = 2;
/** Of the network's drawing, where nothing else is said. */
const OWN = 520;
/** To so many pixels a panel's drawing shrinks where not all is seen at once; what is not here is as tall as it is. */
const LEAST: Readonly<Record<string, number>> = {
  network: 290,
  training: 136,
  kernels: 120,
  function: 160,
  response: 120,
};
/** As in the style sheet. */
const PAIRED = 760;
const BESIDE = 1100;
/**
 * In a window so low what trains stands beside the network in less width too. Where it cannot, what explains the
 * drawing is left out below `slim`, and the curves in a low window.
 */
const LOW = { room: 640, beside: 760, slim: 840 };
/** The panels that show an example, and the trait that says which. */
const EXAMPLES: readonly (readonly [panel: string, trait: string])[] = [
  ["network", "example"],
  ["response", "sample"],
];

/** A panel as Python names it. */
interface Named {
  name: string;
  title: string;
  /** What it is, in a sentence. */
  about: string;
  wide: boolean;
  /** It can be folded away. */
  folds: boolean;
  /** Pixels at least of a drawing that takes any height; else 0. */
  fills: number;
  /** The page on which it stands; nothing where it stands on all. */
  page?: string;
}

interface Exports {
  render(kind: string, props: RenderProps): void;
}

interface Line {
  words: string;
  chosen: boolean;
  warns: boolean;
}

const NOTHING: Line = { words: "", chosen: false, warns: false };

export interface Panels {
  element: HTMLElement;
  fold(folded: boolean): void;
  /** Names of the pages that there are. */
  pages: string[];
  /** Shows one page. */
  turn(page: string): void;
  /** All that there is is shown, as tall as it is. */
  whole(all: boolean): void;
  /** The latest value of a series as the panel of curves has it; null where it has none. */
  latest(name: string): number | null;
  /** What there is to read, of the panel that is pointed at before others. */
  line(): Line;
  pictures(): Paged[];
}

export function createPanels(shell: Shell, host: Host): Panels {
  const { document, get, signal } = shell;
  const root = element(document, "div", "kw-panels");
  const refs = (get("parts") ?? []) as string[];
  const named = (get("panels_shown") ?? []) as Named[];
  const speaker = named.findIndex(({ name }) => name !== "training" && name !== "ranges");
  const lines = refs.map(() => NOTHING);
  const stills: (() => Still | null)[] = [];
  const again: (() => void)[] = [];
  /** Of the drawings; none before the first one asks. */
  const heights: number[] = [];
  const steady = refs.map(createSteady);
  const together = createTogether(
    () => shownOf(sections),
    (here) => {
      arrange();
      for (const k of here) again[k]?.();
    },
  );
  const models = new Map<string, AnyModel>();
  let all = false;
  let active = 0;
  let page = "";
  /** Since the page was turned or the window was made larger or smaller not all has been seen at once. */
  let isTight = false;

  const sections = refs.map((ref, number) => {
    const { title, about, name, folds } = named[number];
    const section = element(document, "section", "kw-panel", root);
    section.dataset.panel = name;
    section.setAttribute("aria-label", about);
    const head = element(document, "div", "kw-panel-head", section);
    head.title = about;
    const inside = element(document, "div", "kw-panel-inside", section);
    const folder = folds ? createFolder(shell, head, title) : null;
    if (!folder) head.textContent = title;
    for (const event of ["pointerenter", "focusin"]) {
      section.addEventListener(event, () => point(number), { signal });
    }
    void mount(ref, number, inside);
    return { section, inside, folder, isDrawn: () => together.isDrawn(number) };
  });
  const sizes = new ResizeObserver(arrange);
  for (const { section } of sections) sizes.observe(section);
  signal.addEventListener("abort", () => sizes.disconnect(), { once: true });

  async function mount(ref: string, number: number, el: HTMLElement) {
    try {
      const model = await host.getModel(ref);
      const { exports } = await host.getWidget<Exports>(String(model.get("stream")));
      if (signal.aborted) return;
      models.set(named[number].name, model);
      if (models.size === named.length) keepTogether(models, shell); // the last finds the others
      watchTraits(model, ["curves"], shell.schedule, signal); // the header has their loss
      const within = {
        read(words: string, chosen = false, warns = false) {
          const { words: before, chosen: was, warns: did } = lines[number];
          if (words === before && chosen === was && warns === did) return;
          lines[number] = { words, chosen, warns };
          shell.schedule();
        },
        // Said by the first panel of the layer for all of them.
        says: (remark: string) => number !== speaker && isNote(shell, remark),
        height() {
          if (heights.length === 0) arrange();
          return all || !LEAST[named[number].name] ? undefined : heights[number];
        },
        seen: () => (all || !isTight ? undefined : heights[number]),
        waits: () => together.waits(number),
        takes(still: () => Still | null, draw: () => void) {
          stills[number] = still;
          again[number] = draw;
        },
      };
      const props: unknown = { model, el, host, signal, within };
      exports.render(String(model.get("kind")), props as Mounted);
    } catch (error) {
      if (!signal.aborted) element(document, "div", "kw-message", el).textContent = unread(error);
    }
  }

  function point(number: number) {
    if (active === number) return;
    active = number;
    shell.schedule();
  }

  function arrange() {
    const network = Number(models.get("network")?.get("height")) || OWN;
    const seen = seenAround(root);
    const { panels, rows } = standing(root, sections, named, page, seen, network);
    // Of many below each other all are never seen at once.
    const free = seen && rows.length <= ROWS ? seen - root.offsetTop : undefined;
    isTight ||= free !== undefined && root.offsetHeight > free;
    const whole = document.fullscreenElement === shell.root;
    const around = panels.map(({ height, drawn }, k) => steady[k](height - drawn));
    heightsIn(panels, around, rows, free, whole).forEach((height, k) => {
      const before = heights[k];
      if (before !== undefined && Math.abs(height - before) < 2) return;
      heights[k] = height;
      if (before !== undefined) again[k]?.();
    });
  }

  function anew() {
    isTight = false;
    arrange();
  }

  document.addEventListener("fullscreenchange", anew, { signal });
  document.defaultView?.addEventListener("resize", anew, { signal });
  return {
    element: root,
    pages: [...new Set(named.flatMap(({ page }) => page || []))],
    turn(to) {
      page = to;
      const elsewhere = (k: number) => Boolean(named[k].page) && named[k].page !== page;
      if (sections.every(({ section }, k) => section.hidden === elsewhere(k))) return;
      for (const [k, { section }] of sections.entries()) section.hidden = elsewhere(k);
      active = sections.findIndex(({ section }) => !section.hidden);
      anew();
      for (const k of shownOf(sections)) again[k]?.();
    },
    fold(folded) {
      for (const { inside, folder } of sections) if (folder) foldAway(inside, folder, folded);
    },
    whole(shown) {
      all = shown;
      for (const draw of again) draw?.();
    },
    line: () =>
      lines.find(({ warns }) => warns) ??
      [lines[active] ?? NOTHING, ...lines.filter((_, k) => !sections[k].section.hidden)].find(
        ({ words }) => words !== "",
      ) ??
      NOTHING,
    latest: (name) => latestOf(models.get("training")?.get("curves"), name),
    pictures: () => picturesOf(sections, stills),
  };
}

interface Section {
  section: HTMLElement;
  inside: HTMLElement;
  isDrawn(): boolean;
}

function sizeOf(
  { section, inside, isDrawn }: Section,
  { name, wide, fills }: Named,
  isBeside: boolean,
  slim: string,
  network: number,
): Panel {
  const view = inside.querySelector<HTMLElement>(".kw-view");
  const drawing = isDrawn() ? view?.querySelector(".kw-viewport") : null;
  return {
    wide: (wide && !isBeside) || inside.hidden === true,
    fills,
    // What does not show itself yet takes no room.
    height: section.offsetHeight + (view ? view.scrollHeight - view.offsetHeight : 0),
    drawn: drawing?.clientHeight ?? 0,
    own: name === "network" ? network : 0,
    least: name === slim ? 0 : (LEAST[name] ?? 0),
  };
}

function unread(error: unknown): string {
  return `This panel cannot be read: ${error instanceof Error ? error.message : error}`;
}

/** Numbers of those on this page. */
function shownOf(sections: readonly Section[]): number[] {
  return Array.from(sections.keys()).filter((k) => !sections[k].section.hidden);
}

/** How large panels are, and which are in a row; the style sheet goes by what is set here. */
function standing(
  root: HTMLElement,
  sections: readonly Section[],
  named: readonly Named[],
  page: string,
  seen = Number.POSITIVE_INFINITY,
  network = OWN,
) {
  const { clientWidth: width } = root;
  const isPaired = width >= PAIRED;
  const isNetwork = page === "network" && named.some(({ name }) => name === page);
  // What trains stands beside the network where both have room.
  const isBeside = isNetwork && width >= (seen < LOW.room ? LOW.beside : BESIDE);
  root.toggleAttribute("data-kw-beside", isBeside);
  const isSlim = isNetwork && !isPaired && seen < LOW.slim;
  const slim = !isSlim ? "" : seen < LOW.room ? "training" : "words";
  if (root.dataset.kwSlim !== slim) root.dataset.kwSlim = slim;
  const panels = sections.map((section, k) => sizeOf(section, named[k], isBeside, slim, network));
  // Of the panels on this page.
  const here = shownOf(sections);
  const found = isPaired ? rowsOf(here.map((k) => panels[k])) : here.map((_, k) => [k]);
  const rows = found.map((row) => row.map((n) => here[n]));
  for (const row of rows) {
    for (const k of row) {
      sections[k].section.toggleAttribute("data-whole", isPaired && row.length === 1);
    }
  }
  return { panels, rows };
}

/** Of the drawings, of which all are seen at once if they can: of the whole screen rows take what there is. */
function heightsIn(
  panels: readonly Panel[],
  around: readonly number[],
  rows: number[][],
  free: number | undefined,
  whole: boolean,
): number[] {
  const room = whole && free ? Math.max(ROOM, Math.floor(free / rows.length) - AROUND) : ROOM;
  const wanted = heightsOf(panels, rows, room);
  return free ? fitted(wanted, panels, around, rows, free - GAP * rows.length, whole) : wanted;
}

function foldAway(inside: HTMLElement, folder: HTMLElement, folded: boolean) {
  inside.hidden = folded;
  const open = String(!folded);
  if (folder.getAttribute("aria-expanded") !== open) folder.setAttribute("aria-expanded", open);
}

/** The panels that are seen, for a saved picture. */
function picturesOf(sections: readonly Section[], stills: readonly (() => Still | null)[]) {
  return sections.flatMap(({ section, inside }, k): Paged[] => {
    const shown = inside.hidden || section.hidden ? null : stills[k]?.();
    return shown ? [pictureOf(shown.scene, shown.theme)] : [];
  });
}

/** One example in all panels that show one, of the same images. */
function keepTogether(models: ReadonlyMap<string, AnyModel>, { get, signal }: Shell) {
  const [one, other] = EXAMPLES.map(([panel, trait]) => ({ model: models.get(panel), trait }));
  for (const [from, to] of [
    [one, other],
    [other, one],
  ]) {
    const tell = () => {
      const number = Number(from.model?.get(from.trait));
      if (number < 0 || get("shared") !== true || to.model?.get(to.trait) === number) return;
      to.model?.set(to.trait, number);
      to.model?.save_changes();
    };
    from.model?.on(`change:${from.trait}`, tell);
    signal.addEventListener("abort", () => from.model?.off(`change:${from.trait}`, tell), {
      once: true,
    });
  }
}

/** The name of a panel as a button that folds it away. */
function createFolder({ document, get, choose, signal }: Shell, head: HTMLElement, title: string) {
  const folder = element(document, "button", "kw-folder", head);
  folder.type = "button";
  folder.textContent = title;
  folder.title = "Fold this panel away, or show it again";
  folder.addEventListener("click", () => choose("folded", get("folded") !== true), {
    signal,
  });
  return folder;
}

function isNote({ get, store }: Shell, remark: string): boolean {
  const layer = layerNamed(store()?.current() ?? null, get("layer"));
  return remark !== "" && remark === layer?.note;
}
