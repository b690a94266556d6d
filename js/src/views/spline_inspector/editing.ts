/** Moving along x in the plane, taking hold of control points, and what Python can do to a function. */

import { formatNumber } from "../../phi/format.ts";
import type { Ends } from "../../phi/inputs.ts";
import type { Point } from "../../scene/marks.ts";
import type { Drag } from "../../shell/drag.ts";
import { atEnd } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { samePlace } from "../../wire/protocol.ts";
import type { Change, Command, Selection } from "../../wire/types.ts";
import { type Handle, heightOf, moved } from "./handles.ts";
import { chosenX, type InspectorScene, kindOf, placeIn, type Touch } from "./scene.ts";
import { dataRange, type Phi, phiOf, readPhi, tableRange, wholeRange } from "./terms.ts";
import { fromX, fromY, shiftedWithin, wheelFactor, zoomedWithin } from "./window.ts";

export type Movement = ReturnType<typeof createMovement>;

export function createMovement(
  touch: Touch,
  scene: () => InspectorScene | null,
  { schedule, speak, store }: Pick<Shell, "schedule" | "speak" | "store">,
) {
  function choose(phi: Phi, x: Ends | null) {
    touch.held = null;
    touch.chosen = x && { of: kindOf(phi), x };
    schedule();
  }

  /** As it will be drawn: keys may come faster than drawings. */
  const across = (phi: Phi): Ends =>
    chosenX(touch, phi) ?? dataRange(phi, store()?.observed(phi.layer.name) ?? null);

  const shift = (phi: Phi, x: Ends, by: number) =>
    choose(phi, shiftedWithin(x, by, tableRange(phi)));

  /** What zooming by a factor does; null where there is nothing to zoom. */
  function zoom({ picture: { phi } }: InspectorScene, factor: number, at: number) {
    const next = zoomedWithin(across(phi), at, factor, tableRange(phi));
    return next && (() => choose(phi, next));
  }

  function fit() {
    const now = scene();
    if (now) choose(now.picture.phi, null);
  }

  /** Moves the reading along x; at the edge of what was chosen, that moves along. */
  function read({ key, shiftKey }: KeyboardEvent, phi: Phi) {
    const [low, high] = across(phi);
    const step = ((high - low) / (shiftKey ? 20 : 100)) * (key === "ArrowLeft" ? -1 : 1);
    const to = touch.reading === null ? (low + high) / 2 : touch.reading + step;
    const chosen = chosenX(touch, phi);
    if (chosen && (to < low || to > high)) shift(phi, chosen, step);
    const [least, most] = chosenX(touch, phi) ?? [low, high];
    touch.reading = Math.max(least, Math.min(most, to));
    const at = readPhi(phi, touch.reading);
    if (at)
      speak(`x ${formatNumber(at.x)}, φ ${formatNumber(at.phi)}, slope ${formatNumber(at.slope)}`);
  }

  return {
    /** Shows x where the inputs are again. */
    fit,
    /** Shows all of x, or fits again. */
    range(which: string) {
      const now = scene();
      if (now && which === "all") choose(now.picture.phi, wholeRange(now.picture.phi));
      else fit();
    },
    /** Which of these is shown; "" where the plane was moved. */
    shown(): "fit" | "all" | "" {
      const now = scene();
      if (!now) return "fit";
      const { phi, x } = now.picture;
      if (!chosenX(touch, phi)) return "fit";
      const [low, high] = wholeRange(phi);
      return x[0] <= low && x[1] >= high ? "all" : "";
    },
    /** What a turn of the wheel would do; null for nothing. */
    turn(event: WheelEvent, at: Point): (() => void) | null {
      const now = scene();
      if (!now || (touch.held?.b ?? -1) >= 0) return null;
      return zoom(now, wheelFactor(event), fromX(now.picture.x, now.places.plot, at.x));
    },
    pan(start: Point): Drag | null {
      const now = scene();
      if (!now) return null;
      const { phi, x } = now.picture;
      return {
        move(at) {
          const by = start.x - at.x;
          if (Math.abs(by) > 2) shift(phi, x, (by / now.places.plot.width) * (x[1] - x[0]));
        },
        end() {},
      };
    },
    /** A key of the plane; true where it was used. */
    key(event: KeyboardEvent): boolean {
      const now = scene();
      if (!now) return false;
      const { phi } = now.picture;
      const { key } = event;
      const [low, high] = across(phi);
      const middle = touch.reading ?? (low + high) / 2;
      if (key === "ArrowLeft" || key === "ArrowRight") read(event, phi);
      else if (key === "+" || key === "=" || key === "ArrowUp") zoom(now, 0.8, middle)?.();
      else if (key === "-" || key === "ArrowDown") zoom(now, 1.25, middle)?.();
      else if (key === "0") fit();
      else if (key === "Escape") touch.reading = null;
      else return false;
      return true;
    },
  };
}

/** After this without an answer, it is said that the model has not got the value yet. */
const SLOW_MS = 600;

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
    // Nothing moves when a point is let go of.
    if (touch.held) touch.held.b = -1;
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
      if (what === "selection" && !here) dragged ? end() : forget();
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
      forget();
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
