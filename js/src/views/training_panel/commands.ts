/** What was clicked, and whether Python has heard of it. */

import { type Status, statusOf } from "./status.ts";

export type Command =
  | { kind: "hello" | "pause" | "resume" | "stop" | "uncure" }
  | { kind: "advance"; steps: number }
  | { kind: "every"; value: number }
  | { kind: "rate"; value: number; group: number | null }
  | { kind: "cure"; alarm: string };

/** Milliseconds after which an answer is late. */
export const PATIENCE = 2000;

export type Commands = ReturnType<typeof createCommands>;

export function createCommands(post: (content: unknown) => void, changed: () => void) {
  const own = Math.random().toString(36).slice(2);
  let sent = 0;
  let pending: { id: string; command: Command; newsBefore: number }[] = [];
  let updates = 0;
  let late = false;
  let refusal = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function overdue() {
    timer = undefined;
    late = pending.length > 0;
    changed();
  }

  return {
    send(command: Command) {
      const id = `${own}:${++sent}`;
      pending.push({ id, command, newsBefore: updates });
      refusal = "";
      post({ ...command, id });
      if (timer === undefined && !late) timer = setTimeout(overdue, PATIENCE);
      changed();
    },
    /** Takes a message of the kernel; gives the status that came with an answer. */
    take(content: unknown): Status | null {
      const message = content as { kind?: string; id?: string; refused?: string; status?: unknown };
      if (message.kind !== "heard") return null;
      const at = pending.findIndex(({ id }) => id === message.id);
      // Another page of the same widget asked.
      if (at < 0) return null;
      pending = pending.slice(at + 1);
      refusal = message.refused ?? "";
      late = false;
      clearTimeout(timer);
      timer = pending.length > 0 ? setTimeout(overdue, PATIENCE) : undefined;
      return statusOf(message.status);
    },
    /** The kernel has sent something by itself. */
    news() {
      updates++;
    },
    /** Whether pause was asked for last, where that has not been answered. */
    wanted(): "paused" | "running" | null {
      const kinds = pending.map(({ command }) => command.kind);
      const last = kinds.reverse().find((kind) => ["pause", "advance", "resume"].includes(kind));
      return last === undefined ? null : last === "resume" ? "running" : "paused";
    },
    /** How it is with answers: all well, none for a while, or none although the training sends frames. */
    hearing(): "well" | "silent" | "deaf" {
      if (!late || pending.length === 0) return "well";
      return updates > pending[0].newsBefore ? "deaf" : "silent";
    },
    /** Why the last command was not obeyed. */
    refused: () => refusal,
    stop: () => clearTimeout(timer),
  };
}
