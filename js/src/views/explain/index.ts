/** Explain: an image, maps over it, and the functions and kernels that made the score of a class. */

import type { RenderProps } from "@anywidget/types";
import { formatCount, number } from "../../phi/format.ts";
import { createKit } from "../../shell/controls.ts";
import { element, put, putOrHide } from "../../shell/element.ts";
import { keepKeys } from "../../shell/keys.ts";
import { createSave } from "../../shell/save.ts";
import { inJupyter, themeAround, watchTheme } from "../../shell/theme.ts";
import type { Selection, Store } from "../../wire/types.ts";
import { createBars } from "./bars.ts";
import {
  type Content,
  nameOf,
  numberFor,
  type Part,
  partOf,
  readContent,
  selectionFor,
  signed,
  type Traits,
} from "./content.ts";
import { createPictures } from "./pictures.ts";

/** What tests may ask of a view, as `element.kwExplain`. */
export interface ExplainElement extends HTMLElement {
  kwExplain: { content(): Content | null; part(): Part | null; selected(): number };
}

const TRAITS = ["content", "message", "layer", "target", "top", "theme"] as const;

function render({ model, el, host, signal }: RenderProps<Traits>): void {
  const document = el.ownerDocument;
  const root = element(document, "div", "kw-view kw-explain") as unknown as ExplainElement;
  keepKeys(root, signal);
  const kit = createKit(document, signal);
  const tabs = kit.segments("Layer", (layer) => set("layer", layer));
  tabs.box.classList.add("kw-tabs");
  const classes = kit.select("class", "The class whose score is explained", (value) =>
    set("target", Number(value)),
  );
  const again = kit.button("↻", "Explain with the model as it is now", "kw-again", () =>
    model.send({ kind: "explain" }),
  );
  const header = element(document, "div", "kw-header", root);
  const options = element(document, "div", "kw-options");
  options.append(classes.box, again);
  header.append(tabs.box, options);
  const caption = element(document, "div", "kw-caption", root);
  const step = element(document, "span", "kw-status", caption);
  const sentence = element(document, "span", "kw-sentence", caption);
  const note = element(document, "div", "kw-note", root);
  const message = element(document, "div", "kw-warning", root);
  message.setAttribute("role", "status");
  const body = element(document, "div", "kw-body", root);
  const bars = createBars(document, choose, signal);
  const pictures = createPictures(document, choose, point, signal);
  body.append(pictures.element, bars.element);
  const name = () => `explain class ${content?.target ?? ""} step ${content?.step ?? ""}`;
  const foot = element(document, "div", "kw-readout-row", root);
  const readout = element(document, "div", "kw-readout", foot);
  foot.append(createSave(document, { root: () => root, name, redraw: draw }, signal));
  const spoken = element(document, "div", "kw-spoken", root);
  spoken.setAttribute("aria-live", "polite");
  el.append(root);

  let store: Store | null = null;
  let content: Content | null = null;
  let chosen = -1;
  let filled = "";
  let connection = new AbortController();

  function point(words: string, byKey: boolean) {
    put(readout, read(words));
    if (byKey) put(spoken, words);
  }

  function set(name: string, value: unknown) {
    model.set(name, value);
    model.save_changes();
  }

  function choose(k: number) {
    if (!content) return;
    const part = partOf(content, model.get("layer"));
    chosen = k;
    const selection = selectionFor(part, k, content.target);
    if (known(selection)) store?.select(selection);
    draw();
  }

  /** Only what the stream has can be selected in the other views. */
  function known({ layer }: Selection): boolean {
    return store?.current()?.layout.layers.some(({ name }) => name === layer) ?? false;
  }

  function read(words: string): string {
    if (words || !content) return words;
    const part = partOf(content, model.get("layer"));
    if (chosen < 0) return "Click a bar or a small map to select its function.";
    return `${part.layer} · ${nameOf(part, chosen)} · ${signed(part.values[chosen])}`;
  }

  function draw() {
    const theme = dress();
    putOrHide(message, store ? model.get("message") : "");
    if (!content) {
      body.hidden = true;
      return;
    }
    body.hidden = false;
    const part = partOf(content, model.get("layer"));
    const titles = content.parts.map(({ layer, kind }) => ({
      value: layer,
      label: layer,
      title: kind === "kernels" ? "Shares of the kernels" : "Contributions of the functions",
    }));
    const scores = content.scores.map((score, k) => ({
      value: String(k),
      label: `${k}: ${number(score)}${k === content?.predicted ? " (highest)" : ""}`,
    }));
    const list = JSON.stringify([titles, scores]);
    if (list !== filled) {
      filled = list;
      tabs.fill(titles);
      classes.fill(scores);
    }
    tabs.set(part.layer);
    classes.set(String(content.target));
    const newest = store?.latest()?.step;
    const stale = newest !== undefined && newest !== content.step;
    put(step, `step ${formatCount(content.step)}`);
    put(again, stale ? `↻ step ${formatCount(newest)}` : "↻");
    put(sentence, part.sentence);
    putOrHide(note, content.notes.join(" · "));
    if (chosen >= part.values.length) chosen = -1;
    bars.show(part, model.get("top"), chosen);
    pictures.show(content, part, chosen, theme);
    put(readout, read(""));
    readout.toggleAttribute("data-selected", chosen >= 0);
  }

  function dress() {
    const theme = model.get("theme");
    const followed = theme !== "light" && theme !== "dark";
    const shown = followed ? themeAround(el) : theme;
    root.dataset.kwTheme = shown;
    if (followed && inJupyter(document)) root.dataset.kwHost = "jupyter";
    else delete root.dataset.kwHost;
    return shown;
  }

  /** Shows the layer of what was selected, here or elsewhere, and marks its share. */
  function follow() {
    const selection = store?.selection() ?? null;
    const its = content?.parts.find(({ layer }) => layer === selection?.layer);
    if (its && its.layer !== partOf(content as Content, model.get("layer")).layer) {
      chosen = -1;
      set("layer", its.layer);
    }
    mark();
    draw();
  }

  function mark() {
    if (!content) return;
    const part = partOf(content, model.get("layer"));
    const selection = store?.selection() ?? null;
    // What is only chosen here, because the stream does not have it, stays.
    if (!known({ layer: part.layer } as Selection) && selection?.layer !== part.layer) return;
    chosen = numberFor(part, selection, content.target, chosen);
  }

  function take() {
    content = readContent(model.get("content"));
    mark();
    draw();
  }

  const connect = async () => {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    const say = (words: string) => putOrHide(message, words);
    if (!host?.getWidget) {
      say("This view needs anywidget 0.11 or newer in the page.");
      return;
    }
    try {
      const { exports } = await host.getWidget<Store>(model.get("stream"));
      if (mine.aborted || signal.aborted || !exports?.subscribe) return;
      store = exports;
      // In a page saved for itself no model is there to explain again.
      if (exports.status().state === "saved") {
        again.hidden = true;
        for (const choice of classes.box.querySelectorAll("select")) choice.disabled = true;
      }
      const both = AbortSignal.any([mine, signal]);
      store.subscribe((what) => {
        if (what === "selection") follow();
        else if (what === "frame") draw();
      }, both);
      follow();
    } catch (error) {
      if (mine.aborted || signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      say(`The stream of this view cannot be read: ${reason}`);
    }
  };

  const handlers: Record<string, () => void> = Object.fromEntries(
    TRAITS.map((trait) => [`change:${trait}`, trait === "content" ? take : draw]),
  );
  handlers["change:layer"] = () => {
    chosen = -1;
    mark();
    draw();
  };
  handlers["change:stream"] = () => void connect();
  for (const [event, call] of Object.entries(handlers)) model.on(event, call);
  signal.addEventListener(
    "abort",
    () => {
      for (const [event, call] of Object.entries(handlers)) model.off(event, call);
      connection.abort();
      store = null;
      root.remove();
    },
    { once: true },
  );
  watchTheme(el, draw, signal);
  root.kwExplain = {
    content: () => content,
    part: () => content && partOf(content, model.get("layer")),
    selected: () => chosen,
  };
  take();
  void connect();
}

export default { render };
