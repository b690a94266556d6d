/** The kernel behind a widget: whether there is one (a page that was saved, or opened again with another kernel, has none), and models that start late. */

import type { AnyModel } from "@anywidget/types";
import { hear } from "./hear.ts";

/** The part of an ipywidgets model that tells of its connection. */
interface Connected {
  /** Whether the widget's connection to its Python object is there. */
  comm_live?: boolean;
  on(event: string, listener: () => void): void;
  off(event: string, listener: () => void): void;
}

/** Tells `changed` whether there is a kernel, once that is known and whenever it changes; hosts that cannot tell count as having one. */
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

/** A model as the host's widget manager has it. */
interface Own {
  _handle_comm_msg?(message: object): Promise<unknown>;
  comm?: {
    on_msg(handle: (message: object) => unknown): void;
    send(data: object, callbacks?: object): unknown;
  };
  callbacks?(): object;
}

/** A message that asks for nothing. */
const EMPTY_MESSAGE = { content: { data: { method: "" } }, buffers: [] };

/**
 * Lets a model start late. anywidget gives it two seconds to load its module, and a model that takes longer, as on a
 * busy machine, gets no message any more: each waits for a start that was given up. So the host itself handles the
 * messages of such a model, and the kernel is asked for the state that the model missed.
 */
export function outlast(model: AnyModel): void {
  const id = model.get("_own");
  const manager = model.widget_manager as { get_model?(id: string): Promise<Own> } | undefined;
  if (typeof id !== "string" || !id || !manager?.get_model) return;
  manager.get_model(id).then(
    async (own) => {
      if (!own._handle_comm_msg || !own.comm) return;
      try {
        await own._handle_comm_msg(EMPTY_MESSAGE);
      } catch {
        takeOver(own, own.comm);
      }
    },
    () => {},
  );
}

function takeOver(own: Own, comm: NonNullable<Own["comm"]>) {
  const given = own._handle_comm_msg;
  let from: Own | null = own;
  while (from && from._handle_comm_msg === given) from = Object.getPrototypeOf(from);
  const handle = from?._handle_comm_msg;
  if (!handle) return;
  comm.on_msg((message) => handle.call(own, message));
  comm.send({ method: "request_state" }, own.callbacks?.());
}
