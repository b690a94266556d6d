/**
 * For models that start late. anywidget gives a model two seconds to load its module, and one that took longer, as on a
 * machine that is busy, is told nothing more: each message waits for a start that has been given up.
 */

import type { AnyModel } from "@anywidget/types";

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
const NOTHING = { content: { data: { method: "" } }, buffers: [] };

/** Has the messages of a model handled by the host itself where anywidget has given it up, and asks for what it missed. */
export function outlast(model: AnyModel): void {
  const id = model.get("_own");
  const manager = model.widget_manager as { get_model?(id: string): Promise<Own> } | undefined;
  if (typeof id !== "string" || !id || !manager?.get_model) return;
  manager.get_model(id).then(
    async (own) => {
      if (!own._handle_comm_msg || !own.comm) return;
      try {
        await own._handle_comm_msg(NOTHING);
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
