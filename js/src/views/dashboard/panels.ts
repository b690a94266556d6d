/** The panels: views of their own, mounted without what the dashboard has for all of them. */

import type { AnyModel, Host, RenderProps } from "@anywidget/types";
import { layerNamed } from "../../phi/entries.ts";
import { latestOf } from "../../scene/logged.ts";
import { type Paged, pictureOf } from "../../scene/still.ts";
import { atEnd, element, listen, putAttributes } from "../../shell/element.ts";
import type { Mounted, Shell, Still, Within } from "../../shell/mount.ts";
import { createSteady, seenAround } from "../../shell/room.ts";
import { hear, watchTraits } from "../../wire/hear.ts";
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

/** A panel, and the view that is mounted in it. */
type Place = ReturnType<typeof placeIn>;

export function createPanels(shell: Shell, host: Host) {
  const { document, get, signal } = shell;
  const root = element(document, "div", "kw-panels");
  const named = (get("panels_shown") ?? []) as Named[];
  const places = named.map((one) => placeIn(shell, root, one));
  const speaker = named.findIndex(({ name }) => name !== "training" && name !== "ranges");
  const modelOf = (name: string) => places.find((one) => one.named.name === name)?.model;
  const here = () => [...places.keys()].filter((k) => !places[k].section.hidden);
  const together = createTogether(here, (drawn) => {
    arrange();
    for (const k of drawn) places[k].draw?.();
  });
  let all = false;
  let active = 0;
  let page = "";
  /** Since the page was turned or the window was made larger or smaller not all has been seen at once. */
  let isTight = false;

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
      says: (remark) => number !== speaker && isNote(shell, remark),
      height() {
        if (places.every(({ height }) => height === undefined)) arrange();
        return all || !LEAST[place.named.name] ? undefined : place.height;
      },
      seen: () => (all || !isTight ? undefined : place.height),
      waits: () => together.waits(number),
      takes: (still, draw) => Object.assign(place, { still, draw }),
    };
  }

  async function mount(ref: string, number: number) {
    const { inside: el } = places[number];
    try {
      const model = await host.getModel(ref);
      const { exports } = await host.getWidget<Exports>(String(model.get("stream")));
      if (signal.aborted) return;
      places[number].model = model;
      if (places.every((one) => one.model)) keepTogether(modelOf, shell); // the last finds the others
      watchTraits(model, ["curves"], shell.schedule, signal); // the header has their loss
      const props: unknown = { model, el, host, signal, within: withinOf(number) };
      exports.render(String(model.get("kind")), props as Mounted);
    } catch (error) {
      if (signal.aborted) return;
      const why = error instanceof Error ? error.message : error;
      element(document, "div", "kw-message", el).textContent = `This panel cannot be read: ${why}`;
    }
  }

  function point(number: number) {
    if (active === number) return;
    active = number;
    shell.schedule();
  }

  function arrange() {
    const network = Number(modelOf("network")?.get("height")) || OWN;
    const seen = seenAround(root);
    const { panels, rows } = standing(root, places, here(), page, together.isDrawn, seen, network);
    // Of many below each other all are never seen at once.
    const free = seen && rows.length <= ROWS ? seen - root.offsetTop : undefined;
    isTight ||= free !== undefined && root.offsetHeight > free;
    const whole = document.fullscreenElement === shell.root;
    const around = panels.map(({ height, drawn }, k) => places[k].steady(height - drawn));
    heightsIn(panels, around, rows, free, whole).forEach((height, k) => {
      const { height: before, draw } = places[k];
      if (before !== undefined && Math.abs(height - before) < 2) return;
      places[k].height = height;
      if (before !== undefined) draw?.();
    });
  }

  function anew() {
    isTight = false;
    arrange();
  }

  function turn(to: string) {
    page = to;
    const elsewhere = ({ named: { page: own } }: Place) => Boolean(own) && own !== page;
    if (places.every((one) => one.section.hidden === elsewhere(one))) return;
    for (const one of places) one.section.hidden = elsewhere(one);
    active = here()[0] ?? -1;
    anew();
    for (const k of here()) places[k].draw?.();
  }

  const refs = (get("parts") ?? []) as string[];
  const sizes = new ResizeObserver(arrange);
  places.forEach(({ section }, number) => {
    const enter = () => point(number);
    listen(section, signal, { pointerenter: enter, focusin: enter });
    sizes.observe(section);
    void mount(refs[number], number);
  });
  atEnd(signal, () => sizes.disconnect());
  document.addEventListener("fullscreenchange", anew, { signal });
  document.defaultView?.addEventListener("resize", anew, { signal });
  return {
    element: root,
    /** Names of the pages that there are. */
    pages: [...new Set(named.flatMap(({ page: own }) => own || []))],
    turn,
    fold(folded: boolean) {
      for (const { inside, folder } of places) {
        if (!folder) continue;
        inside.hidden = folded;
        putAttributes(folder, { "aria-expanded": String(!folded) });
      }
    },
    /** All that there is is shown, as tall as it is. */
    whole(shown: boolean) {
      all = shown;
      for (const { draw } of places) draw?.();
    },
    /** What there is to read, of the panel that is pointed at before others. */
    line(): Line {
      const warning = places.find(({ line }) => line.warns);
      const readable = [places[active], ...here().map((k) => places[k])];
      return (warning ?? readable.find((one) => one?.line.words))?.line ?? NOTHING;
    },
    /** The latest value of a series as the panel of curves has it; null where it has none. */
    latest: (name: string) => latestOf(modelOf("training")?.get("curves"), name),
    /** The panels that are seen, for a saved picture. */
    pictures: () =>
      places.flatMap(({ section, inside, still }): Paged[] => {
        const shown = inside.hidden || section.hidden ? null : still?.();
        return shown ? [pictureOf(shown.scene, shown.theme)] : [];
      }),
  };
}

function placeIn({ document, get, choose, signal }: Shell, root: HTMLElement, named: Named) {
  const { title, about, name, folds } = named;
  const section = element(document, "section", "kw-panel", root);
  section.dataset.panel = name;
  putAttributes(section, { "aria-label": about });
  const head = element(document, "div", "kw-panel-head", section);
  head.title = about;
  const inside = element(document, "div", "kw-panel-inside", section);
  const folder = folds ? element(document, "button", "kw-folder", head) : null;
  (folder ?? head).textContent = title;
  if (folder) {
    folder.type = "button";
    folder.title = "Fold this panel away, or show it again";
    listen(folder, signal, { click: () => choose("folded", get("folded") !== true) });
  }
  return {
    named,
    section,
    inside,
    folder,
    model: null as AnyModel | null,
    line: NOTHING,
    still: null as (() => Still | null) | null,
    draw: null as (() => void) | null,
    /** Pixels of its drawing; undefined before it asks. */
    height: undefined as number | undefined,
    /** Of what is around that, without what goes to and fro. */
    steady: createSteady(),
  };
}

function sizeOf({ section, inside, named }: Place, isDrawn: boolean) {
  const view = inside.querySelector<HTMLElement>(".kw-view");
  const drawing = isDrawn ? view?.querySelector(".kw-viewport") : null;
  return {
    fills: named.fills,
    // What does not show itself yet takes no room.
    height: section.offsetHeight + (view ? view.scrollHeight - view.offsetHeight : 0),
    drawn: drawing?.clientHeight ?? 0,
  };
}

/** How large panels are, and which of those that are `here` are in a row; the style sheet goes by what is set here. */
function standing(
  root: HTMLElement,
  places: readonly Place[],
  here: readonly number[],
  page: string,
  isDrawn: (number: number) => boolean,
  seen = Number.POSITIVE_INFINITY,
  network = OWN,
) {
  const { clientWidth: width } = root;
  const isPaired = width >= PAIRED;
  const isNetwork = page === "network" && places.some(({ named }) => named.name === page);
  // What trains stands beside the network where both have room.
  const isBeside = isNetwork && width >= (seen < LOW.room ? LOW.beside : BESIDE);
  root.toggleAttribute("data-kw-beside", isBeside);
  const isSlim = isNetwork && !isPaired && seen < LOW.slim;
  const slim = !isSlim ? "" : seen < LOW.room ? "training" : "words";
  if (root.dataset.kwSlim !== slim) root.dataset.kwSlim = slim;
  const panels = places.map((place, k): Panel => {
    const { name, wide } = place.named;
    return {
      ...sizeOf(place, isDrawn(k)),
      wide: (wide && !isBeside) || place.inside.hidden === true,
      own: name === "network" ? network : 0,
      least: name === slim ? 0 : (LEAST[name] ?? 0),
    };
  });
  const found = isPaired ? rowsOf(here.map((k) => panels[k])) : here.map((_, n) => [n]);
  const rows = found.map((row) => row.map((n) => here[n]));
  for (const row of rows) {
    for (const k of row) {
      places[k].section.toggleAttribute("data-whole", isPaired && row.length === 1);
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

function isNote({ get, store }: Shell, remark: string): boolean {
  const layer = layerNamed(store()?.current() ?? null, get("layer"));
  return remark !== "" && remark === layer?.note;
}
