/** The models of a comparison below its numbers: a kernel grid or a diagram of each under its name, and one timeline for all. */

import type { AnyModel } from "@anywidget/types";
import { counted } from "../../phi/entries.ts";
import type { Given } from "../../scene/drawing.ts";
import { watchSight } from "../../shell/card.ts";
import { atEnd, element, listen, putAttributes, putStyle, putWords } from "../../shell/element.ts";
import { bringIntoSight, createSteadyHeight, heightInSight } from "../../shell/in_sight.ts";
import type { Mounted, Shell, Within } from "../../shell/mount.ts";
import { mountScrubber } from "../../shell/scrubber.ts";
import { statusText } from "../../shell/status.ts";
import { together } from "../../shell/timeline.ts";
import { watchTraits } from "../../wire/hear.ts";
import { isUnderWay } from "../../wire/standing.ts";
import type { Store } from "../../wire/types.ts";
import { agreement, SORTS, settingsOf } from "../kernel_grid/settings.ts";
import { render as renderGrid } from "../kernel_grid/view.ts";
import { render as renderNetwork } from "../network_view/view.ts";
import { comparedOf, picturesAbreast } from "./pictures.ts";
import { colourOfModel } from "./table.ts";
import { modelsIn, type ShownModels } from "./verdict.ts";

interface What {
  of: "kernels" | "networks";
  /** What these are, for those who cannot see them. */
  label: string;
  refs: readonly string[];
  render(props: Mounted): void;
  /** How one of them is one of several. */
  traits(number: number): Readonly<Record<string, unknown>>;
  mounted?(number: number, place: HTMLElement): void;
  /** Traits that all of them have alike, and which of their values only one knows. */
  alike: readonly string[];
  isOwn?(trait: string, value: unknown): boolean;
}

export type Models = ReturnType<typeof createModels>;

/** A kernel grid of each model, with a timeline and controls for all in `bar`. */
export function createGrids(shell: Shell, bar: HTMLElement): Models {
  const refs = (shell.get("parts") ?? []) as string[];
  const agreed = agreement(refs.length, (drawn) => models.allBut(drawn));
  const models = createModels(shell, {
    of: "kernels",
    label: "Kernels",
    refs,
    render: renderGrid,
    traits: (number) => ({ together: agreed(number) }),
    /** Each grid keeps its choice of layers, beside its name; the rest of the first one's header is for all. */
    mounted(number, place) {
      const header = place.querySelector(".kw-header");
      const [tabs, menu, ...rest] = header?.children ?? [];
      place.querySelector(".kw-model-name")?.append(tabs, menu);
      if (number === 0) bar.append(...rest);
      header?.remove();
    },
    // The layer is each grid's own, and so are scores.
    alike: Object.keys(settingsOf(() => null)).filter((trait) => trait !== "shade"),
    isOwn: (trait, value) => trait === "sort" && !SORTS.some((sort) => sort === value),
  });
  return models;
}

/** The whole network of each model, with one example running through all. */
export function createNetworks(shell: Shell): Models {
  const refs = (shell.get("diagrams") ?? []) as string[];
  const compared = comparedOf(refs.length, (drawn) => models.allBut(drawn));
  const models = createModels(shell, {
    of: "networks",
    label: "Network",
    refs,
    render: renderNetwork,
    traits: (number) => ({ compared: compared(number) }),
    alike: ["example", "drawing"],
  });
  return models;
}

function createModels(shell: Shell, request: What) {
  const { document, host, signal } = shell;
  const whole = element(document, "div", "kw-grids");
  whole.dataset.of = request.of;
  const root = element(document, "div", "kw-models", whole);
  const places = request.refs.map((_, number) => {
    const place = element(document, "section", "kw-model", root);
    const head = element(document, "div", "kw-model-name", place);
    putStyle(head, { "--kw-swatch": `var(--kw-curve-${colourOfModel(number)})` });
    const name = element(document, "span", "", head);
    const step = element(document, "span", "kw-model-step", head);
    const enter = () => read(number);
    listen(place, signal, { pointerenter: enter, focusin: enter });
    return { place, name, step, line: { words: "", chosen: false }, redraw: () => {} };
  });
  const time = element(document, "div", "kw-time-place", whole);
  const parts: ({ model: AnyModel; store: Store } | null)[] = request.refs.map(() => null);
  let [active, columns] = [0, 1];
  void Promise.all(request.refs.map(connect)).then(() => {
    const stores = parts.flatMap((part) => part?.store ?? []);
    if (stores.length === 0 || signal.aborted) return;
    const scrubber = mountScrubber(time, together(stores), signal);
    for (const store of stores) store.subscribe(() => scrubber.tell(), signal);
  });
  // What stands over a drawing is taller where it wraps: the drawings of a row still begin at one height.
  const sizes = new ResizeObserver(() => align(places.map(({ place }) => place)));
  atEnd(signal, () => sizes.disconnect());

  const steady = createSteadyHeight();
  /** Pixels of what stands around a drawing, where that is most: all of them are as high. */
  function around() {
    const drawn = (place: Element) => place.querySelector(".kw-viewport")?.clientHeight ?? 0;
    return Math.max(...places.map(({ place }) => place.scrollHeight - drawn(place)));
  }

  async function connect(ref: string, number: number) {
    const { place } = places[number];
    try {
      const model = await host.getModel(ref);
      const { exports: store } = await host.getWidget<Store>(String(model.get("stream")));
      if (signal.aborted) return;
      parts[number] = { model, store };
      const within: Within = {
        traits: request.traits(number),
        seen() {
          const view = root.closest(".kw-view");
          const rows = Math.ceil(places.length / columns);
          // Of networks below each other, too, all are to be seen, with what stands over and under them.
          const isWhole = rows === 1 || request.of === "networks";
          const all = isWhole && view && heightInSight(view);
          const others = view ? view.scrollHeight - root.offsetHeight : 0;
          return all ? (all - others) / rows - steady(around()) : undefined;
        },
        read(words, chosen = false) {
          places[number].line = { words, chosen };
          read(active);
        },
        says: () => false,
        takes(_, draw) {
          places[number].redraw = draw;
        },
        height: () => undefined,
      };
      request.render({ model, el: place, host, signal, within } as unknown as Mounted);
      hearModel(shell, store, number);
      watchTraits(model, request.alike, (trait) => pass(number, trait, model.get(trait)), signal);
      request.mounted?.(number, place);
      for (const name of HEADS) for (const head of headsIn([place], name)) sizes.observe(head);
    } catch (error) {
      if (signal.aborted) return;
      const said = element(document, "div", "kw-message", place);
      said.textContent = `This model cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Shows the line of a view, or of one where something is selected. */
  function read(number: number) {
    active = number;
    const own = places[active].line;
    const line = [own, ...places.map((one) => one.line)].find(({ chosen }) => chosen) ?? own;
    shell.read(line.words, line.chosen);
  }

  function pass(from: number, trait: string, value: unknown) {
    if (request.isOwn?.(trait, value)) return;
    parts.forEach((part, number) => {
      if (!part || number === from || part.model.get(trait) === value) return;
      part.model.set(trait, value);
      part.model.save_changes();
    });
  }

  return {
    element: whole,
    /** Names them and gives them their columns. */
    show(shown: ShownModels, width: number) {
      const { models } = shown;
      columns = picturesAbreast(request.of, places.length, width);
      putStyle(root, { "grid-template-columns": `repeat(${columns}, minmax(0, 1fr))` });
      const newest = Math.max(...parts.map((part) => part?.store.current()?.step ?? 0));
      places.forEach(({ place, name, step }, k) => {
        putWords(name, models[k] ?? "");
        place.setAttribute("aria-label", `${request.label} of ${models[k]}`);
        const store = parts[k]?.store;
        if (!store) return;
        const left = store.leftOut();
        const missing = left.length > 0 ? ` · ${counted(left.length, "layer")} not shown` : "";
        const standing = store.standing();
        const at = store.current()?.step ?? null;
        const kept = store.cursor() < 0 && isUnderWay(standing) ? "" : keptText(store, newest);
        // Who is ahead, and by how much, stands over all of them.
        const { values = [] } = shown.rows.find(({ key }) => key === "parameters") ?? {};
        const size = request.of === "networks" ? ` · ${values[k]} parameters` : "";
        // That nothing goes on is seen, and that one looks back is read below.
        const isCalm = store.cursor() >= 0 || CALM.includes(standing.state);
        const [first, ...others] = statusText(at, standing).split(" · ");
        const status = [first, ...(at !== null && isCalm ? [] : others)].join(" · ");
        const text = status + kept + missing + size;
        putWords(step, text);
        putAttributes(step, { title: left.join("\n") || text });
      });
    },
    /** What they are drawn from. */
    parts: (given: Given): Given[] =>
      parts.flatMap((part) =>
        part
          ? [{ ...given, store: part.store, get: (trait: string) => part.model.get(trait) }]
          : [],
      ),
    /** Draws them again, but for the one whose drawing is the reason. */
    allBut(drawn: number) {
      for (const [number, { redraw }] of places.entries()) if (number !== drawn) redraw();
    },
  };
}

/** Draws a comparison with each frame of a model, whose training is kept in sight as that of a view alone is. */
function hearModel({ root, get, schedule, signal }: Shell, store: Store, number: number): void {
  watchSight(root, store, signal, modelsIn(get)[number]?.name);
  store.subscribe(() => {
    bringIntoSight(root, store);
    schedule();
  }, signal);
}

/** Why one is back at an earlier step than the others are: it has ended, has not begun, or kept no later one. */
function keptText(store: Store, newest: number): string {
  const step = store.current()?.step ?? newest;
  if (step >= newest) return "";
  if (step === 0 && store.steps().length < 2) return ", not trained yet";
  return step === store.steps().at(-1) ? ", its last" : `, the last kept before ${newest}`;
}

/** States in which nothing has gone wrong. */
const CALM = ["idle", "finished", "saved"];
const HEADS = [".kw-model-name", ".kw-header", ".kw-caption"];

const headsIn = (places: readonly HTMLElement[], name: string) =>
  places.flatMap((place) => place.querySelector<HTMLElement>(name) ?? []);

function align(places: readonly HTMLElement[]): void {
  for (const top of new Set(places.map(({ offsetTop }) => offsetTop))) {
    const row = places.filter(({ offsetTop }) => offsetTop === top);
    for (const name of HEADS) {
      const heads = headsIn(row, name);
      for (const head of heads) head.style.minHeight = "";
      const height = `${Math.max(0, ...heads.map(({ offsetHeight }) => offsetHeight))}px`;
      for (const head of heads) head.style.minHeight = height;
    }
  }
}
