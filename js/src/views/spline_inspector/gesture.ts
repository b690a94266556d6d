/** An edit on its way: shown at once, sent at most so often, and held until the model agrees. No DOM. */

import type { Selection } from "../../wire/types.ts";

/** Least milliseconds between two values sent. */
export const PAUSE = 50;
/** While training goes on, the model may have moved before its frame came: after this, it is right. */
export const PATIENCE = 2000;

const NEAR = 2e-6;

export type Send = (at: Selection, coefficients: number[], final: boolean) => void;

export class Gesture {
  readonly #send: Send;
  #at: Selection | null = null;
  #coefficients: Float64Array | null = null;
  #open = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #endedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  /** The function that is changed here, and not yet, or not surely, in the model. */
  at(): Selection | null {
    return this.#at;
  }

  /** What to draw instead of a frame's coefficients. */
  coefficients(): Float64Array | null {
    return this.#coefficients;
  }

  /** Whether the pointer is still down. */
  isOpen(): boolean {
    return this.#open;
  }

  /** Takes another value of a gesture that goes on. */
  move(at: Selection, coefficients: Float64Array, now: number): void {
    this.#at = at;
    this.#coefficients = coefficients;
    this.#open = true;
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#sentAt + PAUSE - now);
    if (wait === 0) this.#post(now, false);
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#open) this.#post(now + wait, false);
      }, wait);
    }
  }

  /** The value stands: it is sent whatever was sent before. */
  end(now: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#open) return;
    this.#open = false;
    this.#endedAt = now;
    this.#post(now, true);
  }

  /** Looks at a frame's coefficients; returns whether the model has the value, or has gone on without it. */
  compare(present: ArrayLike<number> | null, live: boolean, now: number): boolean {
    const mine = this.#coefficients;
    if (!mine || this.#open) return false;
    const agrees =
      present !== null &&
      present.length === mine.length &&
      mine.every((value, b) => Math.abs(value - present[b]) <= NEAR * Math.max(1, Math.abs(value)));
    if (!agrees && !(live && now - this.#endedAt > PATIENCE)) return false;
    this.drop();
    return true;
  }

  /** Milliseconds since the value was final. */
  waited(now: number): number {
    return this.#coefficients && !this.#open ? now - this.#endedAt : 0;
  }

  /** Forgets the value: the model's counts. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#open = false;
    this.#at = null;
    this.#coefficients = null;
  }

  #post(now: number, final: boolean): void {
    if (!this.#at || !this.#coefficients) return;
    this.#sentAt = now;
    this.#send(this.#at, Array.from(this.#coefficients), final);
  }
}
