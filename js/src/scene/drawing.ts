/** What a view draws from, and what a drawing is. */

import type { Store } from "../wire/types.ts";
import type { Scene } from "./marks.ts";
import type { Theme } from "./theme.ts";

/** What is pointed at in a live view; in a still, nothing is. */
export interface Pointed {
  /** Id of the site under the pointer or the keyboard; "" for none. */
  id: string;
  /** Place of the pointer in the scene; null for the keyboard. */
  at: { x: number; y: number } | null;
  /** Id of the site that has the keyboard. */
  keyboard: string;
}

export const NOT_POINTED: Pointed = { id: "", at: null, keyboard: "" };

/** Everything that a scene is a function of. */
export interface Given {
  store: Store;
  /** The traits of the view. */
  get(trait: string): unknown;
  /** CSS pixels for the scene. */
  width: number;
  /** CSS pixels that a scene may fill where it can choose; it may be taller, and then scrolls or is cut. */
  height: number;
  /** The height that a host view gives this one: a drawing that can have any height takes this one, all in all. */
  room?: number | undefined;
  /** CSS pixels of the scene's height that are seen at once; undefined where that is not known, as in a picture. */
  seen?: number | undefined;
  theme: Theme;
  /** Device pixels per pixel, for hairlines. */
  ratio: number;
  pointed: Pointed;
  /** The scene is saved as a picture, on which nothing can be pressed. */
  still?: boolean | "screen";
  /** The scene is one of a film: what was chosen for the scene before stays where it can. */
  film?: boolean;
  /** Other views that are drawn in this one, each with its own stream and traits. */
  parts?: readonly Given[] | undefined;
}

/** Makes scenes one after another; it may keep what does not change between them. Words instead of a scene say why there is none. */
export type Drawing<S extends Scene = Scene> = (given: Given) => S | string;

/** The value of a trait, or the first of those allowed where it is none of them. */
export function oneOf<T extends string>(allowed: readonly T[], value: unknown): T {
  return allowed.includes(value as T) ? (value as T) : allowed[0];
}
