/** Rectangles of the page, in client pixels: what is saved, and what cuts off the things in it. */

import { short } from "./record.ts";

export interface Clip {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Where and how something is drawn. */
export interface Place {
  /** All that is saved; its corner is that of the picture. */
  paper: Clip;
  clip: Clip;
  opacity: number;
}

export function meet(a: Clip, b: Clip): Clip {
  return {
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  };
}

/** A rectangle as a path of the picture. */
export function pathOf({ left, top, right, bottom }: Clip, paper: Clip): string {
  const [l, r] = [short(left - paper.left), short(right - paper.left)];
  const [t, b] = [short(top - paper.top), short(bottom - paper.top)];
  return `M${l} ${t}L${r} ${t}L${r} ${b}L${l} ${b}Z`;
}

/** The edge of what is seen; empty where that is all of the paper. */
export function edgeOf({ clip, paper }: Place): string {
  const whole =
    clip.left <= paper.left &&
    clip.top <= paper.top &&
    clip.right >= paper.right &&
    clip.bottom >= paper.bottom;
  return whole ? "" : pathOf(clip, paper);
}
