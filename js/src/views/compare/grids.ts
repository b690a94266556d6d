/** The kernels of each model in the page: a kernel grid of its own under the model's name, with one toolbar, one timeline and one scale for all. */

import type { AnyModel, Host } from "@anywidget/types";
import { counted } from "../../phi/entries.ts";
import type { Given } from "../../scene/drawing.ts";
import { element, put } from "../../shell/element.ts";
import type { Mounted, Shell, Still } from "../../shell/mount.ts";
import { mountScrubber } from "../../shell/scrubber.ts";
import { statusText } from "../../shell/status.ts";
import { together } from "../../shell/timed.ts";
import { watchTraits } from "../../shell/watch.ts";
import type { Store } from "../../wire/types.ts";
import { SORTS } from "../kernel_grid/settings.ts";
import { agreement } from "../kernel_grid/together.ts";
import { render } from "../kernel_grid/view.ts";
import { columnsOf, MOST } from "./kernels.ts";
import type { Shown } from "./shown.ts";

export interface Grids {
  element: HTMLElement;
  /** Names them and gives them their columns. */
  show(shown: Pick<Shown, "models" | "still">, width: number): void;
  /** What a picture of them is drawn from. */
  parts(given: Given): Given[];
}

interface Part {
  model: AnyModel;
  store: Store;
}

/** What the one toolbar sets for all grids. The layer is each grid's own, and so are scores: other models have others. */
const TOGETHER = ["mode", "binarise", "suppressed", "bounds", "scale", "ghost", "x_range", "sort"];

export function createGrids(shell: Shell, host: Host): Grids {
  const { document, get, signal } = shell;
  const whole = element(document, "div", "kw-grids");
  const bar = element(document, "div", "kw-header kw-together", whole);
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "All kernel grids");
  bar.hidden = true;
  const root = element(document, "div", "kw-models", whole);
  const refs = (get("parts") ?? []) as string[];
  const parts: (Part | null)[] = refs.map(() => null);
  const places = refs.map((ref, number) => {
    const place = element(document, "section", "kw-model", root);
    const head = element(document, "div", "kw-model-name", place);
    head.style.setProperty("--kw-swatch", `var(--kw-curve-${number % 7})`);
    const name = element(document, "span", "", head);
    const step = element(document, "span", "kw-model-step", head);
    return { ref, place, name, step };
  });
  const time = element(document, "div", "kw-time-place", whole);
  const again: (() => void)[] = refs.map(() => () => {});
  const agreed = agreement(refs.length, MOST, (drawn) => {
    again.forEach((draw, number) => {
      if (number !== drawn) draw();
    });
  });
  const lines = refs.map(() => ({ words: "", chosen: false }));
  let active = 0;
  const connecting = places.map(({ ref, place }, number) => {
    for (const event of ["pointerenter", "focusin"]) {
      place.addEventListener(event, () => read(number), { signal });
    }
    return connect(ref, number, place);
  });
  void Promise.all(connecting).then(() => {
    const stores = parts.flatMap((part) => part?.store ?? []);
    if (stores.length === 0 || signal.aborted) return;
    const scrubber = mountScrubber(time, together(stores), signal);
    for (const store of stores) store.subscribe(() => scrubber.tell(), signal);
  });
  // What stands over a drawing is taller where it wraps: the drawings of a row still begin at one height.
  const sizes = new ResizeObserver(() => align(places.map(({ place }) => place)));
  signal.addEventListener("abort", () => sizes.disconnect(), { once: true });

  async function connect(ref: string, number: number, place: HTMLElement) {
    try {
      const model = await host.getModel(ref);
      const { exports } = await host.getWidget<Store>(String(model.get("stream")));
      if (signal.aborted) return;
      parts[number] = { model, store: exports };
      const within = {
        read(words: string, chosen = false) {
          lines[number] = { words, chosen };
          read(active);
        },
        says: () => false,
        takes(_: () => Still | null, draw: () => void) {
          again[number] = draw;
        },
        height: () => undefined,
      };
      const props = { model: inGroup(model, number), el: place, host, signal, within };
      render(props as unknown as Mounted);
      exports.subscribe(() => shell.schedule(), signal);
      share(number, place, model);
      for (const head of headsOf(place)) sizes.observe(head);
    } catch (error) {
      if (signal.aborted) return;
      const said = element(document, "div", "kw-message", place);
      said.textContent = `These kernels cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** The grid's model, which says that it is one of several. */
  function inGroup(model: AnyModel, number: number): AnyModel {
    const group = agreed(number);
    const get = (trait: string) => (trait === "together" ? group : model.get(trait));
    return new Proxy(model, {
      get(target, name) {
        if (name === "get") return get;
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** Shows the line of a grid, or of one where something is selected. */
  function read(number: number) {
    active = number;
    const line = [lines[active], ...lines].find(({ chosen }) => chosen) ?? lines[active];
    shell.read(line.words, line.chosen);
  }

  /** Each grid keeps its choice of layers; the rest of the first one's header stands over all and is for all. */
  function share(number: number, place: HTMLElement, model: AnyModel) {
    const header = place.querySelector<HTMLElement>(".kw-header");
    if (!header) return;
    const rest = [...header.children].slice(2);
    if (number > 0) {
      for (const box of rest) box.remove();
      return;
    }
    bar.append(...rest);
    bar.hidden = false;
    watchTraits(model, TOGETHER, (trait) => pass(trait, model.get(trait)), signal);
  }

  function pass(trait: string, value: unknown) {
    if (trait === "sort" && !(SORTS as readonly unknown[]).includes(value)) return;
    for (const part of parts.slice(1)) {
      if (!part || part.model.get(trait) === value) continue;
      part.model.set(trait, value);
      part.model.save_changes();
    }
  }

  return {
    element: whole,
    show({ models, still }, width) {
      const columns = `repeat(${columnsOf(places.length, width)}, minmax(0, 1fr))`;
      if (root.style.gridTemplateColumns !== columns) root.style.gridTemplateColumns = columns;
      places.forEach(({ place, name, step }, k) => {
        put(name, models[k] ?? "");
        const store = parts[k]?.store;
        if (store) {
          const left = store.leftOut();
          const at = stateOf(store, still[k] ?? false);
          put(step, left.length > 0 ? `${at} · ${counted(left.length, "layer")} not shown` : at);
          const title = left.join("\n");
          if (step.title !== title) step.title = title;
        }
        place.setAttribute("aria-label", `Kernels of ${models[k]}`);
      });
    },
    parts: (given) =>
      parts.flatMap((part) =>
        part
          ? [{ ...given, store: part.store, get: (trait: string) => part.model.get(trait) }]
          : [],
      ),
  };
}

function stateOf(store: Store, still: boolean): string {
  const training = store.training();
  const known = { training: still && training === "running" ? "stands still" : training };
  return statusText(store.current()?.step ?? null, store.cursor(), store.status(), known);
}

const HEADS = [".kw-model-name", ".kw-header", ".kw-caption"];

function headsOf(place: HTMLElement): HTMLElement[] {
  return HEADS.flatMap((head) => place.querySelector<HTMLElement>(head) ?? []);
}

function align(places: readonly HTMLElement[]): void {
  const tops = [...new Set(places.map(({ offsetTop }) => offsetTop))];
  for (const top of tops) {
    const row = places.filter(({ offsetTop }) => offsetTop === top);
    for (const name of HEADS) {
      const heads = row.flatMap((place) => place.querySelector<HTMLElement>(name) ?? []);
      for (const head of heads) head.style.minHeight = "";
      const height = `${Math.max(0, ...heads.map(({ offsetHeight }) => offsetHeight))}px`;
      for (const head of heads) head.style.minHeight = height;
    }
  }
}
