/** A page without a kernel: gives the views' own bundles models and a host, from what is saved in the page. */
import type { Store } from "../wire/types.ts";
import { PageModel } from "./model.ts";
import { framesOf, type Saved, type SavedStream, unpack } from "./saved.ts";

/** The bundles in the page by name, as each one exports itself. */
export type Modules = Record<string, Record<string, unknown>>;

interface StreamModule {
  initialize(context: { model: PageModel; signal: AbortSignal }): Store;
}

interface ViewModule {
  render(context: object): unknown;
}

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** Fills the page; what goes wrong is said in it. */
export async function start(document: Document, modules: Modules): Promise<void> {
  const main = document.querySelector<HTMLElement>("main") as HTMLElement;
  try {
    const saved = await unpack(textOf(document, "kw-saved"), textOf(document, "kw-bytes"));
    main.replaceChildren();
    applyTheme(document, saved.theme);
    show(document, main, saved, modules);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    main.textContent = `This page cannot be shown in this browser: ${message}`;
    throw error;
  }
}

function textOf(document: Document, id: string): string {
  const text = document.getElementById(id)?.textContent;
  if (!text) throw new Error(`its part “${id}” is missing`);
  return text;
}

function show(document: Document, main: HTMLElement, saved: Saved, modules: Modules): void {
  // A page lasts as long as its document.
  const { signal } = new AbortController();
  const streams = saved.streams.map((stream) => {
    const model = streamModel(stream);
    return {
      model,
      exports: (modules.Stream as unknown as StreamModule).initialize({ model, signal }),
    };
  });
  const models = saved.models.map(({ traits, stream, linked, parts }) => {
    const [others, inside] = [linked, parts].map((list) => list.map((number) => `view ${number}`));
    return new PageModel({ ...traits, stream: String(stream), linked: others, parts: inside });
  });
  const host = {
    getModel: async (ref: string) =>
      ref.startsWith("view ") ? models[Number(ref.slice(5))] : streams[Number(ref)].model,
    getWidget: async (ref: string) => ({ exports: streams[Number(ref)].exports }),
  };

  for (const place of saved.places) {
    const figure = add(document, main, "figure", "kw-page-view");
    figure.setAttribute("aria-label", place.label);
    dress(figure, place.css);
    // A view by itself is what the page is called.
    if (saved.places.length > 1) {
      add(document, figure, "h2", "kw-page-name").textContent = place.label;
    }
    const el = add(document, figure, "div");
    const view = modules[saved.models[place.model].module]?.default as ViewModule | undefined;
    if (view) view.render({ model: models[place.model], el, host, signal });
    else el.textContent = `${place.name} did not start in this browser.`;
    if (place.note) add(document, figure, "figcaption", "kw-page-note").textContent = place.note;
  }
}

/** The model of a stream, whose history, observations and activations are in the page. */
export function streamModel(saved: SavedStream): PageModel {
  const frames = saved.runs.flatMap(framesOf);
  const traits = { ...saved.traits, initial: frames[0], frame: frames[frames.length - 1] };
  return new PageModel(traits, (content, reply) => {
    const { kind, before } = content as { kind?: string; before?: number };
    if (kind === "history?") {
      const asked = frames.filter(({ step }) => before === undefined || step < before);
      const named = asked.map(({ layout, step }) => ({ layout, step }));
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
  const asked = new URLSearchParams(document.defaultView?.location.search).get("theme") as Theme;
  const choose = (theme: string) => {
    if (theme === "auto") root.removeAttribute("data-theme");
    else root.dataset.theme = theme;
  };
  const first = THEMES.includes(asked) ? asked : saved;
  choose(first);
  if (!select) return;
  select.value = first;
  select.addEventListener("change", () => choose(select.value));
}

function add(document: Document, into: HTMLElement, tag: string, name = ""): HTMLElement {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return into.appendChild(made);
}

function dress(element: HTMLElement, css: Record<string, string>): void {
  for (const [name, value] of Object.entries(css)) element.style.setProperty(name, value);
}

export default { start };
