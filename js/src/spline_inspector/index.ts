/** SplineInspector: finds its stream and lays the view into the page. */

import type { RenderProps } from "@anywidget/types";
import type { Store } from "../shared/types.ts";
import type { Traits } from "./settings.ts";
import { createView } from "./view.ts";

function render({ model, el, host, signal }: RenderProps<Traits>): void {
  const view = createView(model, el, signal, host);
  let connection = new AbortController();

  const connect = async () => {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    const stream = model.get("stream");
    if (!host?.getWidget) {
      view.message("This view needs anywidget 0.11 or newer in the page.", "warn");
      return;
    }
    view.message("waiting for the kernel…", "calm");
    try {
      const { exports } = await host.getWidget<Store>(stream);
      if (mine.aborted || signal.aborted) return;
      if (!exports?.subscribe) {
        view.message("The stream of this view did not start: run its cell again.", "warn");
        return;
      }
      view.connect(exports, stream, AbortSignal.any([mine, signal]));
    } catch (error) {
      if (mine.aborted || signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      view.message(`The stream of this view cannot be read: ${reason}`, "warn");
    }
  };

  // A binding that is replaced hands its views to the next stream.
  model.on("change:stream", connect);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:stream", connect);
      connection.abort();
    },
    { once: true },
  );
  void connect();
}

export default { render };
