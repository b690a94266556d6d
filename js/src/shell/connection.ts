/** A view's way to its stream, and to the next one when its trait names another. */

import type { AnyModel, Host, RenderProps } from "@anywidget/types";
import { hear } from "../wire/hear.ts";
import { readSelection } from "../wire/protocol.ts";
import type { Change, Store } from "../wire/types.ts";
import { shareExample, watchSight } from "./card.ts";
import { atEnd } from "./element.ts";
import { mountScrubber } from "./scrubber.ts";

interface StreamListener {
  /** There is no stream yet, or no longer. */
  lost(): void;
  joined(): void;
  heard(what: Change): void;
  failed(words: string): void;
  schedule(): void;
}

/** Joins the stream that a view draws, with its timeline in `time`, if it has one. A view within another leaves it to the host to watch what is in sight. */
export function joinStream(
  { model, host, signal, within }: RenderProps & { within?: unknown },
  root: HTMLElement,
  time: HTMLElement | null,
  { lost, joined, heard, failed, schedule }: StreamListener,
) {
  let name = "";
  let store: Store | null = null;
  let scrubber: ReturnType<typeof mountScrubber> | null = null;
  let controller = new AbortController();

  function leave() {
    store = scrubber = null;
  }

  async function connect() {
    controller.abort();
    controller = new AbortController();
    const lifetime = AbortSignal.any([controller.signal, signal]);
    name = String(model.get("stream"));
    leave();
    lost();
    schedule();
    try {
      const { exports } = await host.getWidget<Store>(name);
      if (lifetime.aborted) return;
      // A widget that is no stream has other exports, or none.
      if (typeof exports?.subscribe === "function") take(exports, lifetime);
      else failed("The stream of this view did not start. In a notebook, run its cell again.");
    } catch (error) {
      if (lifetime.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      failed(`The stream of this view cannot be read: ${reason}`);
    }
  }

  /** `own` ends with the view or when another stream takes its place. */
  function take(exports: Store, lifetime: AbortSignal) {
    store = exports;
    root.dataset.stream = name;
    joined();
    exports.subscribe(heard, lifetime);
    shareWithModel(model, exports, lifetime);
    shareExample(model, exports);
    if (!within) watchSight(root, exports, lifetime);
    if (time) scrubber = mountScrubber(time, exports, lifetime);
    schedule();
  }

  hear(model, { "change:stream": connect }, signal);
  atEnd(signal, () => {
    controller.abort();
    leave();
  });
  return {
    name: () => name,
    store: () => store,
    scrubber: () => scrubber,
    start: () => void connect(),
  };
}

/** Writes the layer that was chosen in one view into the models of those linked to it, on the page or not. */
export function chooseInLinked(model: AnyModel, host: Host | undefined, layer: string): void {
  for (const ref of refs(model)) {
    host
      ?.getModel(ref)
      .then((other) => {
        if (other.get("layer") === layer) return;
        other.set("layer", layer);
        other.save_changes();
      })
      .catch((error) => console.warn("kan_widgets: a linked view cannot be reached", error));
  }
}

function refs(model: AnyModel): string[] {
  const found: unknown = model.get("linked");
  return Array.isArray(found) ? found : [];
}

/** Keeps selection and cursor of a view's model and of the stream, which alone saves them to Python, equal while the signal lasts. */
export function shareWithModel(model: AnyModel, store: Store, signal: AbortSignal): void {
  const toModel = {
    selection: () => model.set("selection", store.selection()),
    cursor: () => model.set("cursor", store.cursor()),
  };
  for (const tell of Object.values(toModel)) tell();
  store.subscribe((what) => {
    if (what === "selection" || what === "cursor") toModel[what]();
  }, signal);
  const toStore = {
    "change:selection": () => store.select(readSelection(model.get("selection"))),
    "change:cursor": () => store.setCursor(Number(model.get("cursor"))),
  };
  hear(model, toStore, signal);
}
