/** The notebook kernel behind a widget: whether there is one (a page that was saved, or opened again with another one, has none), and models that start late. */

import type { AnyModel } from "@anywidget/types";
import { hear } from "./hear.ts";

/** A model as the host's widget manager has it: an ipywidgets model, where its register is. */
interface Widget extends Pick<AnyModel, "on" | "off"> {
  /** Whether the widget's connection to its Python object is there. */
  comm_live?: boolean;
  _handle_comm_msg?(message: object): Promise<unknown>;
  comm?: {
    on_msg(handle: (message: object) => unknown): void;
    send(data: object, callbacks?: object): unknown;
  };
  callbacks?(): object;
}

/** Tells `changed` whether there is a notebook kernel, once that is known and whenever it changes; hosts that cannot tell count as having one. */
export async function watchPython(
  model: AnyModel,
  id: unknown,
  changed: (there: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let widget: Widget | undefined;
  try {
    widget = (await model.widget_manager?.get_model(String(id))) as unknown as Widget | undefined;
  } catch {
    // Other hosts have no such register.
  }
  if (signal.aborted) return;
  const tell = () => changed(widget?.comm_live !== false);
  if (widget) hear(widget, { comm_live_update: tell }, signal);
  tell();
}

/** A message that asks for nothing. */
const EMPTY_MESSAGE = { content: { data: { method: "" } }, buffers: [] };

/** Lets a model start late: anywidget gives it two seconds, then it gets no message. So the host handles these, and asks for the state that was missed. */
export function startLate(model: AnyModel): void {
  const id = model.get("_own");
  const manager = model.widget_manager as { get_model?(id: string): Promise<Widget> } | undefined;
  if (typeof id !== "string" || !id || !manager?.get_model) return;
  manager.get_model(id).then(
    async (widget) => {
      if (!widget._handle_comm_msg || !widget.comm) return;
      try {
        await widget._handle_comm_msg(EMPTY_MESSAGE);
      } catch {
        takeOver(widget, widget.comm);
      }
    },
    () => {},
  );
}

function takeOver(widget: Widget, comm: NonNullable<Widget["comm"]>) {
  const waiting = widget._handle_comm_msg;
  let holder: Widget | null = widget;
  while (holder && holder._handle_comm_msg === waiting) holder = Object.getPrototypeOf(holder);
  const handler = holder?._handle_comm_msg;
  if (!handler) return;
  comm.on_msg((message) => handler.call(widget, message));
  comm.send({ method: "request_state" }, widget.callbacks?.());
}
