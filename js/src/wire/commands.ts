/** Commands that steer a training, from any view of the page, and whether Python has answered them. */

export type SteeringCommand =
  | { kind: "pause" | "resume" | "stop" | "uncure" }
  | { kind: "step"; steps: number }
  | { kind: "every"; value: number }
  | { kind: "rate"; value: number; group: number | null }
  | { kind: "cure"; alarm: string };

/** Milliseconds after which an answer is late. */
export const PATIENCE = 2000;
const DEAF = "Python does not answer: clicks take effect when the running cell ends.";

export type Commands = ReturnType<typeof createCommands>;

export function createCommands(
  post: (message: SteeringCommand & { id: string }) => void,
  changed: () => void,
) {
  const sender = Math.random().toString(36).slice(2);
  let count = 0;
  let pending: { id: string; kind: SteeringCommand["kind"] }[] = [];
  let late = false;
  let refusal = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function overdue() {
    timer = undefined;
    late = pending.length > 0;
    changed();
  }

  return {
    send(command: SteeringCommand) {
      const id = `${sender}:${++count}`;
      pending.push({ id, kind: command.kind });
      refusal = "";
      post({ ...command, id });
      if (timer === undefined && !late) timer = setTimeout(overdue, PATIENCE);
      changed();
    },
    take(answer: { id?: unknown; refused?: unknown }) {
      const index = pending.findIndex(({ id }) => id === answer.id);
      // Another page of the same run sent the command.
      if (index < 0) return;
      pending = pending.slice(index + 1);
      refusal = String(answer.refused ?? "");
      late = false;
      clearTimeout(timer);
      timer = pending.length > 0 ? setTimeout(overdue, PATIENCE) : undefined;
      changed();
    },
    /** How the run will stand by the last command that is not answered yet; null where that is none. */
    wantedState(): "paused" | "running" | null {
      const kinds = pending.map(({ kind }) => kind);
      const last = kinds.filter((kind) => ["pause", "step", "resume"].includes(kind)).at(-1);
      return last === undefined ? null : last === "resume" ? "running" : "paused";
    },
    /** Why the last command is not obeyed; "" where it is. */
    words: () => (late ? DEAF : refusal),
    stop: () => clearTimeout(timer),
  };
}
