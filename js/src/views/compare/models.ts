/** The models of a comparison below its numbers: a view of each under its name, and one timeline for all. */

import type { AnyModel, Host } from "@anywidget/types";
import { counted } from "../../phi/entries.ts";
import type { Given } from "../../scene/drawing.ts";
import { element, put } from "../../shell/element.ts";
import type { Mounted, Shell, Still } from "../../shell/mount.ts";
import { mountScrubber } from "../../shell/scrubber.ts";
import { statusText } from "../../shell/status.ts";
import { together } from "../../shell/timed.ts";
import { watchTraits } from "../../wire/hear.ts";
import type { Store } from "../../wire/types.ts";
import { colourOfModel } from "./columns.ts";
import type { Shown } from "./shown.ts";

/** A view of one model. */
export interface Part {
  model: AnyModel;
  store: Store;
}

/** What is shown of each model. */
export interface What {
  /** What these are, for who cannot see them. */
  label: string;
  /** Draws the view of a model. */
  render(props: Mounted, number: number): void;
  /** A view is drawn. */
  mounted?(part: Part, number: number, place: HTMLElement): void;
  /** How many stand beside each other in a width. */
  columns(count: number, width: number): number;
  /** Traits that all of them have alike, and whether each may be given to the others. */
  alike: readonly string[];
  passes?(trait: string, value: unknown): boolean;
}

export interface Models {
  element: HTMLElement;
  /** Names them and gives them their columns. */
  show(shown: Pick<Shown, "models">, width: number): void;
  /** What a picture of them is drawn from. */
  parts(given: Given): Given[];
  /** The view of one model is drawn again. */
  again(number: number): void;
}

export function createModels(
  shell: Shell,
  host: Host,
  refs: readonly string[],
  what: What,
  before: readonly HTMLElement[] = [],
): Models {
  const { document, signal } = shell;
  const whole = element(document, "div", "kw-grids");
  whole.append(...before);
  const root = element(document, "div", "kw-models", whole);
  const parts: (Part | null)[] = refs.map(() => null);
  const places = refs.map((ref, number) => {
    const place = element(document, "section", "kw-model", root);
    const head = element(document, "div", "kw-model-name", place);
    head.style.setProperty("--kw-swatch", `var(--kw-curve-${colourOfModel(number)})`);
    const name = element(document, "span", "", head);
    const step = element(document, "span", "kw-model-step", head);
    return { ref, place, name, step };
  });
  const time = element(document, "div", "kw-time-place", whole);
  const redraw: (() => void)[] = refs.map(() => () => {});
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
      const part = { model, store: exports };
      parts[number] = part;
      const within = {
        read(words: string, chosen = false) {
          lines[number] = { words, chosen };
          read(active);
        },
        says: () => false,
        takes(_: () => Still | null, draw: () => void) {
          redraw[number] = draw;
        },
        height: () => undefined,
      };
      what.render({ model, el: place, host, signal, within } as unknown as Mounted, number);
      exports.subscribe(() => shell.schedule(), signal);
      watchTraits(model, what.alike, (trait) => pass(number, trait, model.get(trait)), signal);
      what.mounted?.(part, number, place);
      for (const head of headsOf(place)) sizes.observe(head);
    } catch (error) {
      if (signal.aborted) return;
      const said = element(document, "div", "kw-message", place);
      said.textContent = `This model cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Shows the line of a view, or of one where something is selected. */
  function read(number: number) {
    active = number;
    const line = [lines[active], ...lines].find(({ chosen }) => chosen) ?? lines[active];
    shell.read(line.words, line.chosen);
  }

  function pass(from: number, trait: string, value: unknown) {
    if (what.passes && !what.passes(trait, value)) return;
    parts.forEach((part, number) => {
      if (!part || number === from || part.model.get(trait) === value) return;
      part.model.set(trait, value);
      part.model.save_changes();
    });
  }

  return {
    element: whole,
    show({ models }, width) {
      const columns = `repeat(${what.columns(places.length, width)}, minmax(0, 1fr))`;
      if (root.style.gridTemplateColumns !== columns) root.style.gridTemplateColumns = columns;
      places.forEach(({ place, name, step }, k) => {
        put(name, models[k] ?? "");
        const store = parts[k]?.store;
        if (store) {
          const left = store.leftOut();
          const at = stateOf(store);
          put(step, left.length > 0 ? `${at} · ${counted(left.length, "layer")} not shown` : at);
          const title = left.join("\n");
          if (step.title !== title) step.title = title;
        }
        place.setAttribute("aria-label", `${what.label} of ${models[k]}`);
      });
    },
    parts: (given) =>
      parts.flatMap((part) =>
        part
          ? [{ ...given, store: part.store, get: (trait: string) => part.model.get(trait) }]
          : [],
      ),
    again: (number) => redraw[number](),
  };
}

function stateOf(store: Store): string {
  // The newest step of each stands in the table above, which is drawn at moments of its own.
  const step = store.cursor() >= 0 ? (store.current()?.step ?? null) : null;
  return statusText(step, store.cursor(), store.standing());
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

/** A view's model that says something more: that it is one of several, for one. */
export function saying(model: AnyModel, trait: string, said: unknown): AnyModel {
  const get = (name: string) => (name === trait ? said : model.get(name));
  return new Proxy(model, {
    get(target, name) {
      if (name === "get") return get;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
