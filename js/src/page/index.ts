/** A page outside of Jupyter: gives the bundles in the page models and a host, from what is in the page, or connected with Python. */

import type { Store } from "../wire/types.ts";
import type { connect } from "./live.ts";
import {
  framesOf,
  type Lesson,
  prepare,
  type Saved,
  type SavedStream,
  unpack,
  type ViewPlace,
} from "./saved.ts";
import { type courseOf, PageModel, type train } from "./trained.ts";

/** The bundles in the page by name, as each one exports itself. */
export interface Modules {
  Stream?: { initialize(context: object): Store };
  View?: { default?: { render(context: object): unknown } };
  /** Only a page that Python serves has it: a saved one asks for nothing. */
  Live?: { connect: typeof connect };
  /** Only a page in which a network trains has it. */
  Trained?: { train: typeof train; courseOf: typeof courseOf };
  /** Only a page has it in which the reader chooses what is learned. */
  Playground?: {
    play(document: Document, saved: Saved, lesson: Lesson, mount: Mount): Promise<void>;
  };
}

/** Draws the views of a page, until a signal. */
export type Mount = (models: ReadonlyMap<string, PageModel>, until: AbortSignal) => void;

const SCHEMES = ["auto", "light", "dark"] as const;
type Scheme = (typeof SCHEMES)[number];

/** Fills the page; what goes wrong is said in it. */
export async function start(document: Document, modules: Modules): Promise<void> {
  const places = [...document.querySelectorAll<HTMLElement>("[data-kw-place]")];
  try {
    const saved = await unpack(textOf(document, "kw-saved"), textOf(document, "kw-bytes"));
    applyTheme(document, saved.theme);
    if (saved.lesson) saved.lesson = await prepare(document, saved.lesson);
    const mount: Mount = (models, until) => {
      const widgets = widgetsOf(models, saved.streams, modules, until);
      for (const place of places) show(place, saved.places, widgets, modules, until);
    };
    const { Playground } = modules;
    if (Playground && saved.lesson) await Playground.play(document, saved, saved.lesson, mount);
    else mount(modelsOf(document, saved, modules), signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    for (const place of places) {
      place.textContent = `This view cannot be shown in this browser: ${message}`;
    }
    throw error;
  }
}

function textOf(document: Document, id: string): string {
  const text = document.getElementById(id)?.textContent;
  if (!text) throw new Error(`its part “${id}” is missing`);
  return text;
}

// A page lasts as long as its document.
const { signal } = new AbortController();

/** The models of a page by their identity or reference, and how views find each other. */
function widgetsOf(
  models: ReadonlyMap<string, PageModel>,
  savedStreams: readonly SavedStream[],
  modules: Modules,
  until: AbortSignal,
) {
  const find = (ref: string) => models.get(ref.replace("anywidget:", "")) as PageModel;
  const { initialize } = modules.Stream as NonNullable<Modules["Stream"]>;
  const streams = savedStreams.map(({ id }) => find(id));
  const stores = new Map(streams.map((model) => [model, initialize({ model, signal: until })]));
  const host = {
    getModel: async (ref: string) => find(ref),
    getWidget: async (ref: string) => ({ exports: stores.get(find(ref)) }),
  };
  return { host, find };
}

function modelsOf(document: Document, saved: Saved, modules: Modules) {
  if (saved.heard !== undefined) return liveModels(document, saved, modules);
  const { Trained } = modules;
  const bar = document.getElementById("kw-bar");
  return Trained && bar && saved.lesson
    ? Trained.train(saved, Trained.courseOf(saved, saved.lesson), bar, signal)
    : savedModels(saved);
}

/** The models of a page that holds all it will ever show. */
function savedModels({ streams, models }: Saved): ReadonlyMap<string, PageModel> {
  return new Map([
    ...streams.map((stream) => [stream.id, streamModel(stream)] as const),
    ...models.map(({ id, traits }) => [id, new PageModel(traits)] as const),
  ]);
}

/** The models of a page that Python serves. */
function liveModels(document: Document, saved: Saved, modules: Modules) {
  const connectionLine = document.getElementById("kw-connection");
  const { connect } = modules.Live as NonNullable<Modules["Live"]>;
  const models = [...saved.streams, ...saved.models];
  return connect({ ...saved, models }, document.baseURI, (words, lost) => {
    if (!connectionLine) return;
    connectionLine.textContent = words;
    connectionLine.toggleAttribute("data-lost", lost);
  });
}

/** Draws the view of a place, which Python has written: kan_widgets/widgets/pages/page_text.py. */
function show(
  figure: HTMLElement,
  places: readonly ViewPlace[],
  { host, find }: ReturnType<typeof widgetsOf>,
  modules: Modules,
  until: AbortSignal,
): void {
  const place = places[Number(figure.dataset.kwPlace)];
  // The page's policy allows no style attribute.
  figure.style.cssText = figure.dataset.kwStyle ?? "";
  const el = figure.querySelector("div") as HTMLElement;
  el.replaceChildren();
  const viewModule = modules.View?.default;
  if (viewModule) viewModule.render({ model: find(place.model), el, host, signal: until });
  else el.textContent = `${place.name} did not start in this browser.`;
}

/** The model of a stream, whose history, observations and activations are in the page. */
export function streamModel(saved: SavedStream): PageModel {
  const frames = saved.runs.flatMap(framesOf);
  const traits = { ...saved.traits, initial: frames[0], frame: frames[frames.length - 1] };
  return new PageModel(traits, (content, reply) => {
    const { kind, before } = content as { kind?: string; before?: number };
    if (kind === "history?") {
      const asked = frames.filter(({ step }) => before === undefined || step < before);
      reply({ kind: "history", frames: asked });
    } else if (kind === "observed?") {
      saved.observed.forEach(reply);
    } else if (kind === "activations?") {
      for (const activations of saved.activations ?? []) reply({ ...activations, past: true });
    }
  });
}

/** The reader's choice, else the address's `?theme=`, else the page's; "auto" is the system's. */
function applyTheme(document: Document, saved: Scheme): void {
  const root = document.documentElement;
  const select = document.querySelector<HTMLSelectElement>("#kw-theme");
  // A page of a site has a switch of its own.
  if (!select) return;
  const asked = new URLSearchParams(document.defaultView?.location.search).get("theme") as Scheme;
  const choose = (theme: string) => {
    if (theme === "auto") root.removeAttribute("data-theme");
    else root.dataset.theme = theme;
  };
  const theme = SCHEMES.includes(asked) ? asked : saved;
  choose(theme);
  select.value = theme;
  select.addEventListener("change", () => choose(select.value));
}

export default { start };
