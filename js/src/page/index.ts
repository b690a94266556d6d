/** A page outside of Jupyter: gives the views' own bundles models and a host, from what is in the page, or connected with Python. */
import type { Store } from "../wire/types.ts";
import type { connect, Live } from "./live.ts";
import { PageModel } from "./model.ts";
import { framesOf, type Place, type Saved, type SavedStream, unpack } from "./saved.ts";

/** The bundles in the page by name, as each one exports itself. */
export type Modules = Record<string, Record<string, unknown>>;

interface StreamModule {
  initialize(context: { model: PageModel; signal: AbortSignal }): Store;
}

/** Only a page that Python serves has it: a saved one asks for nothing. */
interface LiveModule {
  connect: typeof connect;
}

interface ViewModule {
  render(context: object): unknown;
}

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** Fills the page; what goes wrong is said in it. */
export async function start(document: Document, modules: Modules): Promise<void> {
  const places = [...document.querySelectorAll<HTMLElement>("[data-kw-place]")];
  try {
    const saved = await unpack(textOf(document, "kw-saved"), textOf(document, "kw-bytes"));
    applyTheme(document, saved.theme);
    const widgets =
      saved.heard === undefined
        ? savedWidgets(saved, modules)
        : liveWidgets(document, saved as unknown as Live, modules);
    for (const place of places) show(place, saved.places, widgets, modules);
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

interface Host {
  getModel(ref: string): Promise<PageModel>;
  getWidget(ref: string): Promise<{ exports: unknown }>;
}

/** The models of a page by what its places call them, and how views find each other. */
interface Widgets {
  host: Host;
  model(of: Place["model"]): PageModel;
}

// A page lasts as long as its document.
const { signal } = new AbortController();

function storeOf(modules: Modules, model: PageModel): unknown {
  return (modules.Stream as unknown as StreamModule).initialize({ model, signal });
}

/** Of a page that holds all it will ever show. */
function savedWidgets(saved: Saved, modules: Modules): Widgets {
  const streams = saved.streams.map((stream) => {
    const model = streamModel(stream);
    return { model, exports: storeOf(modules, model) };
  });
  const models = saved.models.map(({ traits, stream, linked, parts }) => {
    const [others, inside] = [linked, parts].map((list) => list.map((number) => `view ${number}`));
    return new PageModel({ ...traits, stream: String(stream), linked: others, parts: inside });
  });
  return {
    host: {
      getModel: async (ref) =>
        ref.startsWith("view ") ? models[Number(ref.slice(5))] : streams[Number(ref)].model,
      getWidget: async (ref) => ({ exports: streams[Number(ref)].exports }),
    },
    model: (number) => models[Number(number)],
  };
}

/** Of a page that Python serves. */
function liveWidgets(document: Document, live: Live, modules: Modules): Widgets {
  const said = document.getElementById("kw-connection");
  const { connect } = modules.Live as unknown as LiveModule;
  const models = connect(live, document.baseURI, (words, lost) => {
    if (!said) return;
    said.textContent = words;
    said.toggleAttribute("data-lost", lost);
  });
  const find = (ref: string) => models.get(ref.replace("anywidget:", "")) as PageModel;
  const exports = new Map<PageModel, unknown>();
  for (const { id, module } of live.models) {
    if (module === "Stream") exports.set(find(id), storeOf(modules, find(id)));
  }
  return {
    host: {
      getModel: async (ref) => find(ref),
      getWidget: async (ref) => ({ exports: exports.get(find(ref)) }),
    },
    model: (id) => find(String(id)),
  };
}

/** Draws the view of a place, which Python has written: kan_widgets/widgets/page_text.py. */
function show(
  figure: HTMLElement,
  places: readonly Place[],
  { host, model }: Widgets,
  modules: Modules,
): void {
  const place = places[Number(figure.dataset.kwPlace)];
  // The policy of a page allows no attribute for it.
  figure.style.cssText = figure.dataset.kwStyle ?? "";
  const el = figure.querySelector("div") as HTMLElement;
  el.replaceChildren();
  const code = modules.View?.default as ViewModule | undefined;
  if (code) code.render({ model: model(place.model), el, host, signal });
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
      const named = asked.map(({ layout, step, rough }) => ({ layout, step, rough }));
      reply(
        { kind: "history", frames: named },
        asked.map(({ data }) => data),
      );
    } else if (kind === "observed?") {
      for (const seen of saved.observed) reply(seen.content, seen.buffers);
    } else if (kind === "activations?") {
      for (const { content, buffers } of saved.activations ?? []) {
        reply({ ...content, past: true }, buffers);
      }
    }
  });
}

/** The reader's choice, else the address's `?theme=`, else the page's; "auto" is the system's. */
function applyTheme(document: Document, saved: Theme): void {
  const root = document.documentElement;
  const select = document.querySelector<HTMLSelectElement>("#kw-theme");
  // A page of a site has a switch of its own.
  if (!select) return;
  const asked = new URLSearchParams(document.defaultView?.location.search).get("theme") as Theme;
  const choose = (theme: string) => {
    if (theme === "auto") root.removeAttribute("data-theme");
    else root.dataset.theme = theme;
  };
  const first = THEMES.includes(asked) ? asked : saved;
  choose(first);
  select.value = first;
  select.addEventListener("change", () => choose(select.value));
}

export default { start };
