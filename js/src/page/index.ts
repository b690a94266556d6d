/** A page outside of Jupyter: gives the bundles in the page models and a host, from what is in the page, or connected with Python. */

import { decodedBase64, type Path, putBytes } from "../wire/protocol.ts";
import type { Store } from "../wire/types.ts";
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
export type Modules = Record<string, Record<string, unknown>>;

interface StreamModule {
  initialize(context: { model: PageModel; signal: AbortSignal }): Store;
}

/** Only a page that Python serves has it: a saved one asks for nothing. */
interface LiveModule {
  connect: typeof connect;
}

/** Only a page in which a network trains has it. */
interface TrainedModule {
  train: typeof train;
  courseOf: typeof courseOf;
}

/** Only a page has it in which the reader chooses what is learned. */
interface PlaygroundModule {
  play(document: Document, saved: Saved, lesson: Lesson, mount: Mount): Promise<void>;
}

/** Draws the views of a page, until a signal. */
export type Mount = (models: ReadonlyMap<string, PageModel>, until: AbortSignal) => void;

interface ViewModule {
  render(context: object): unknown;
}

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
    const { play } = (modules.Playground ?? {}) as unknown as Partial<PlaygroundModule>;
    if (play && saved.lesson) await play(document, saved, saved.lesson, mount);
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
  const { initialize } = modules.Stream as unknown as StreamModule;
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
  const { train, courseOf } = (modules.Trained ?? {}) as unknown as Partial<TrainedModule>;
  const bar = document.getElementById("kw-bar");
  return train && courseOf && bar && saved.lesson
    ? train(saved, courseOf(saved, saved.lesson), bar, signal)
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
  const { connect } = modules.Live as unknown as LiveModule;
  const models = [...saved.streams, ...saved.models];
  return connect({ heard: saved.heard ?? 0, models }, document.baseURI, (words, lost) => {
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
  const viewModule = modules.View?.default as ViewModule | undefined;
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

/** What a live page holds, as kan_widgets/widgets/pages/live_page.py writes it. */
interface Live {
  /** The number of the last message of Python whose news is in the page. */
  heard: number;
  models: { id: string; traits: Record<string, unknown> }[];
}

/** A message of a widget, as Jupyter has it; bytes are in buffers, and their places in paths. */
interface Message {
  id: string;
  method: "update" | "custom";
  state?: Record<string, unknown>;
  content?: unknown;
  buffer_paths?: Path[];
  /** The bytes in base64. */
  buffers: string[];
}

/** A part of the page, as Python writes it; without text for one that goes. */
interface PagePart {
  id: string;
  html: string;
}

type Post = (message: Message) => void;

/** The model of a widget that lives in Python. */
export class LiveModel extends PageModel {
  readonly #id: string;
  readonly #post: Post;
  readonly #changed = new Set<string>();

  constructor(id: string, traits: Readonly<Record<string, unknown>>, post: Post) {
    super(traits);
    this.#id = id;
    this.#post = post;
  }

  override set(name: string, value: unknown): void {
    this.#changed.add(name);
    super.set(name, value);
  }

  override save_changes(): void {
    if (this.#changed.size === 0) return;
    const state = Object.fromEntries([...this.#changed].map((name) => [name, this.get(name)]));
    this.#changed.clear();
    const [plain, buffer_paths, buffers] = withoutBytes(state);
    const plainState = plain as Record<string, unknown>;
    this.#post({ id: this.#id, method: "update", state: plainState, buffer_paths, buffers });
  }

  override send(content: unknown): void {
    this.#post({ id: this.#id, method: "custom", content, buffers: [] });
  }

  /** Takes what Python says. */
  take({ method, state, content, buffer_paths, buffers }: Message): void {
    const bytes = buffers.map(decodedBase64);
    if (method === "custom") this.emit("msg:custom", content, bytes);
    if (method !== "update" || !state) return;
    (buffer_paths ?? []).forEach((path, n) => {
      putBytes(state, path, bytes[n]);
    });
    for (const [name, value] of Object.entries(state)) super.set(name, value);
  }
}

/** Connects the models with Python; `say` is told in words how that goes. */
export function connect(
  { heard, models }: Live,
  address: string,
  say: (words: string, lost: boolean) => void,
): Map<string, LiveModel> {
  // One after the other: what is clicked later comes later.
  let queue = Promise.resolve();
  const post: Post = (message) => {
    queue = queue.then(async () => {
      try {
        const { ok } = await fetch(new URL("messages", address), {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(message),
        });
        if (!ok) lost();
      } catch {
        lost();
      }
    });
  };
  const lost = () =>
    say("Not connected: what follows the run has ended, or does not answer.", true);
  const modelById = new Map(models.map(({ id, traits }) => [id, new LiveModel(id, traits, post)]));
  const events = new EventSource(new URL(`events?from=${heard}`, address));
  events.addEventListener("open", () => say("", false));
  events.addEventListener("error", lost);
  events.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as Message | PagePart;
    if ("html" in message) renew(message);
    else modelById.get(message.id)?.take(message);
  });
  events.addEventListener("reload", () => globalThis.location.reload());
  return modelById;
}

/** Brings a part of the page up to date; cells that are the same stay, a new row comes first. */
function renew({ id, html }: PagePart): void {
  const template = document.createElement("template");
  template.innerHTML = html;
  const part = template.content.firstElementChild ?? "";
  const current = document.getElementById(id);
  if (!current) document.querySelector("tbody")?.prepend(part);
  else if (part instanceof HTMLTableRowElement && current instanceof HTMLTableRowElement) {
    current.dataset.state = part.dataset.state;
    for (const [n, cell] of [...part.cells].entries())
      if (!current.cells[n]?.isEqualNode(cell)) current.cells[n]?.replaceWith(cell);
  } else current.replaceWith(part);
}

/** Takes bytes out of a value: a copy without them, where they belong, and the bytes in base64. */
export function withoutBytes(value: unknown): [plain: unknown, paths: Path[], buffers: string[]] {
  const paths: Path[] = [];
  const buffers: string[] = [];
  const copy = (node: unknown, path: Path): unknown => {
    if (node instanceof ArrayBuffer || ArrayBuffer.isView(node)) {
      paths.push(path);
      buffers.push(base64Of(node));
      return null;
    }
    if (Array.isArray(node)) return node.map((each, n) => copy(each, [...path, n]));
    if (node === null || typeof node !== "object") return node;
    const entries = Object.entries(node).map(([name, each]) => [name, copy(each, [...path, name])]);
    return Object.fromEntries(entries);
  };
  return [copy(value, []), paths, buffers];
}

function base64Of(value: ArrayBuffer | ArrayBufferView): string {
  const view = value instanceof ArrayBuffer ? new DataView(value) : value;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
