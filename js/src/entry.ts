/** The module of each view: a few lines that take the view's drawing from the stream's bundle. */

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { startLate } from "./wire/jupyter_kernel.ts";
import type { StreamExports } from "./wire/types.ts";

async function render(props: RenderProps): Promise<void> {
  const { model, el, host, signal } = props;
  const say = (words: string) => {
    if (!signal.aborted) el.textContent = words;
  };
  if (!host?.getWidget) {
    say("This view needs anywidget 0.11 or newer in the page.");
    return;
  }
  try {
    const { exports } = await host.getWidget<Partial<StreamExports>>(model.get("stream"));
    if (signal.aborted) return;
    if (exports?.render) exports.render(String(model.get("kind")), props);
    else say("The stream of this view did not start: run its cell again.");
  } catch (error) {
    say(
      `The stream of this view cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

export default {
  initialize: ({ model }: InitializeProps) => startLate(model),
  render,
};
