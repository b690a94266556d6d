/** Taking hold of control points, and what Python can do to a function. */

import { formatNumber } from "../../phi/format.ts";
import type { Drag } from "../../shell/drag.ts";
import { atEnd } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { samePlace } from "../../wire/protocol.ts";
import type { Change, Command, Selection } from "../../wire/types.ts";
import { type Handle, heightOf, moved } from "./handles.ts";
import { type InspectorScene, placeIn, type Touch } from "./scene.ts";
import { phiOf } from "./terms.ts";
import { fromX, fromY } from "./window.ts";

/** After this without an answer, it is said that the model has not got the value yet. */
const SLOW_MS = 600;

export type Editing = ReturnType<typeof createEditing>;

export function createEditing(shell: Shell, touch: Touch, scene: () => InspectorScene | null) {
  const gesture = new Gesture((at, coefficients, final) =>
    shell.store()?.edit(at, coefficients, final),
  );
  let dragged: { handle: Handle; from: Float64Array; moved: boolean } | null = null;
  let later: ReturnType<typeof setTimeout> | undefined;

  /** Those of this moment: keys may come faster than drawings. */
  function coefficients({ picture }: InspectorScene): Float64Array {
    const { edited } = gesture;
    return edited && samePlace(edited.at, picture.at)
      ? edited.coefficients
      : picture.phi.coefficients;
  }

  /** Looks whether the newest frame has what was edited here. Not every frame that comes is drawn. */
  function settle() {
    const store = shell.store();
    if (store && gesture.edited) {
      const newest = phiOf(store.latest(), gesture.edited.at);
      const live = store.status().state === "live";
      gesture.compare(newest?.coefficients ?? null, live, performance.now());
    }
    touch.edited = gesture.edited;
    clearTimeout(later);
    if (touch.edited) later = setTimeout(shell.schedule, SLOW_MS);
  }

  function take(now: InspectorScene, handle: Handle) {
    dragged = { handle, from: coefficients(now).slice(), moved: false };
    touch.held = { b: handle.b, y: now.y };
  }

  function pull(now: InspectorScene, height: number) {
    if (!dragged || !Number.isFinite(height)) return;
    dragged.moved = true;
    const next = moved(coefficients(now), dragged.handle, height);
    gesture.move(now.picture.at, next, performance.now());
    shell.schedule();
  }

  function end() {
    if (!dragged) return;
    const stands = dragged.moved;
    dragged = null;
    touch.held = null;
    if (stands) gesture.end(performance.now());
    shell.schedule();
  }

  function forget() {
    dragged = null;
    touch.held = null;
    gesture.drop();
  }

  const handleOf = (now: InspectorScene | null, id: string) =>
    now?.picture.handles.find(({ b }) => id === `point:${b}`);

  atEnd(shell.signal, () => {
    // The value of a point that is held stands.
    end();
    clearTimeout(later);
  });

  return {
    /** Before a drawing: whether the model has what was edited here. */
    settle,
    /** Likewise: what changed in the store. */
    changed(what: Change | string) {
      const store = shell.store();
      if (what === "stream") forget();
      if (what === "edits" && store?.edits().message) gesture.drop();
      const chosen = store && placeIn(store, shell.get);
      const here = samePlace(chosen, gesture.edited?.at ?? null);
      if (what === "selection" && dragged && !here) end();
      if (what === "frame") settle();
    },
    drag(id: string): Drag | null {
      const now = scene();
      const handle = handleOf(now, id);
      if (!now || !handle || !now.editable) return null;
      take(now, handle);
      return {
        move(at) {
          const here = scene();
          if (!here || !dragged) return;
          touch.reading = fromX(here.picture.x, here.places.plot, at.x);
          pull(here, fromY(touch.held?.y ?? here.y, here.places.plot, at.y));
        },
        end,
      };
    },
    end,
    key(id: string, event: KeyboardEvent): boolean {
      const now = scene();
      const handle = handleOf(now, id);
      if (!now || !handle) return false;
      const { key } = event;
      if (key === "Escape" && dragged) {
        gesture.move(now.picture.at, dragged.from, performance.now());
        end();
        return true;
      }
      if (key !== "ArrowUp" && key !== "ArrowDown") return false;
      if (!now.editable) return true;
      if (!dragged) take(now, handle);
      const range = touch.held?.y ?? now.y;
      const step = (range[1] - range[0]) * 0.01 * (event.shiftKey ? 10 : 1);
      const height = heightOf(handle, coefficients(now)) + (key === "ArrowUp" ? step : -step);
      pull(now, height);
      shell.speak(`${handle.label} ${formatNumber(height / handle.rise)}`);
      return true;
    },
    command(kind: Command) {
      const store = shell.store();
      const at = store && placeIn(store, shell.get);
      if (!store || !at) return;
      end();
      gesture.drop();
      if (kind === "undo" || kind === "redo") store.command(kind);
      else store.command(kind, at);
      shell.schedule();
    },
    /** The value stands, and the model has not got it for long. */
    isLate: () => gesture.waited(performance.now()) > SLOW_MS,
  };
}

export const EDIT_PAUSE = 50;
/** While training goes on, the model may have moved before its frame came: after this, it is right. */
export const EDIT_PATIENCE = 2000;

const FLOAT32_TOLERANCE = 2e-6;

type Send = (at: Selection, coefficients: number[], final: boolean) => void;

/** An edit on its way to the model, and drawn until that has it. */
export class Gesture {
  readonly #send: Send;
  /** The function that is changed here, and not yet, or not surely, in the model, and what to draw of it. */
  edited: { at: Selection; coefficients: Float64Array } | null = null;
  #open = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #endedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  /** Takes another value of a gesture that goes on. */
  move(at: Selection, coefficients: Float64Array, now: number): void {
    this.edited = { at, coefficients };
    this.#open = true;
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#sentAt + EDIT_PAUSE - now);
    if (wait === 0) this.#post(now, false);
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#post(now + wait, false);
      }, wait);
    }
  }

  /** The value stands: it is sent whatever was sent before. */
  end(now: number): void {
    if (!this.#open) return;
    this.#close();
    this.#endedAt = now;
    this.#post(now, true);
  }

  /** Looks at a frame's coefficients; returns whether the model has the value, or has gone on without it. */
  compare(present: ArrayLike<number> | null, live: boolean, now: number): boolean {
    if (!this.edited || this.#open) return false;
    const mine = this.edited.coefficients;
    const isNear = (value: number, b: number) =>
      Math.abs(value - (present?.[b] ?? Number.NaN)) <=
      FLOAT32_TOLERANCE * Math.max(1, Math.abs(value));
    const agrees = present?.length === mine.length && mine.every(isNear);
    if (!agrees && !(live && now - this.#endedAt > EDIT_PATIENCE)) return false;
    this.drop();
    return true;
  }

  waited(now: number): number {
    return this.edited && !this.#open ? now - this.#endedAt : 0;
  }

  drop(): void {
    this.#close();
    this.edited = null;
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#open = false;
  }

  #post(now: number, final: boolean): void {
    if (!this.edited) return;
    this.#sentAt = now;
    this.#send(this.edited.at, Array.from(this.edited.coefficients), final);
  }
}
