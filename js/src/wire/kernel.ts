/** Whether there is a kernel behind a widget. None is where a page was saved, or opened again with another kernel. */

import type { AnyModel } from "@anywidget/types";
import { hear } from "./hear.ts";

/** What ipywidgets' models say of themselves. */
interface Connected {
  /** Whether the widget's connection to its Python object is there. */
  comm_live?: boolean;
  on(event: string, listener: () => void): void;
  off(event: string, listener: () => void): void;
}

/** Calls `changed` with the answer at once when it is known, and whenever it changes; where nobody knows, there is one. */
export async function watchKernel(
  model: AnyModel,
  id: unknown,
  changed: (there: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let own: Connected | undefined;
  try {
    own = (await model.widget_manager?.get_model(String(id))) as unknown as Connected | undefined;
  } catch {
    // Other hosts have no such register.
  }
  if (signal.aborted) return;
  const tell = () => changed(own?.comm_live !== false);
  if (own) hear(own, { comm_live_update: tell }, signal);
  tell();
}
