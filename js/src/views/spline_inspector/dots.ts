/** The control points on the drawing: one slider each, of which the keyboard reaches one at a time. */

import { number } from "../../phi/format.ts";
import type { Rect } from "../../phi/geometry.ts";
import { element } from "../../shell/element.ts";
import { describeHandle, heightOf } from "./handles.ts";
import type { Picture } from "./picture.ts";
import type { Range } from "./terms.ts";
import { toX, toY } from "./window.ts";

/** Pixels by which a point may lie outside the plot and still be drawn. */
const FAR = 1;

export interface Dots {
  element: HTMLElement;
  /** `held` is the basis function whose point is being dragged, or −1. */
  show(picture: Picture, plot: Rect, y: Range, editable: boolean, held: number): void;
  /** Which point an event is about, or −1. */
  numberOf(event: Event): number;
  /** The keyboard comes back to this one. */
  remember(number: number): void;
  /** Moves the focus from one point to the next one in view. */
  step(from: number, by: 1 | -1): void;
}

export function createDots(document: Document): Dots {
  const root = element(document, "div", "kw-handles");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Control points");
  let dots: HTMLButtonElement[] = [];
  let focused = 0;
  let labelled = "";

  function build({ handles }: Picture) {
    const labels = handles.map(({ b, label, control }) => `${b}|${label}|${control}`).join();
    if (labels === labelled) return;
    labelled = labels;
    focused = 0;
    dots = handles.map((handle, k) => {
      const dot = element(document, "button", "kw-handle");
      dot.type = "button";
      dot.setAttribute("role", "slider");
      dot.setAttribute("aria-orientation", "vertical");
      dot.toggleAttribute("data-weight", !handle.control);
      dot.dataset.number = String(k);
      return dot;
    });
    root.replaceChildren(...dots);
  }

  return {
    element: root,
    show(picture, plot, y, editable, held) {
      build(picture);
      const { phi, x, handles } = picture;
      root.toggleAttribute("data-editable", editable);
      handles.forEach((handle, k) => {
        const dot = dots[k];
        const value = phi.coefficients[handle.b];
        const height = heightOf(handle, phi.coefficients);
        const [px, py] = [toX(x, plot, handle.x), toY(y, plot, height)];
        const out =
          !Number.isFinite(height) ||
          px < plot.x - FAR ||
          px > plot.x + plot.width + FAR ||
          py < plot.y - FAR ||
          py > plot.y + plot.height + FAR;
        // The one that is held stays, wherever the pointer takes it: hidden, it would be let go.
        dot.hidden = out && held !== handle.b;
        if (!dot.hidden) dot.style.transform = `translate(${px}px, ${py}px)`;
        dot.style.setProperty("--kw-dot-colour", picture.colourOf(handle.b));
        dot.disabled = !editable;
        dot.tabIndex = editable && k === focused ? 0 : -1;
        const text = describeHandle(phi.layer.variable, handle);
        if (dot.getAttribute("aria-label") !== text) dot.setAttribute("aria-label", text);
        const hint = editable ? ": drag, or arrow up and down" : "";
        const title = `${handle.label} = ${number(value)}${hint}`;
        if (dot.title !== title) dot.title = title;
        // Not on every frame: only the one that is held talks.
        if (held === handle.b || !dot.hasAttribute("aria-valuenow")) {
          dot.setAttribute("aria-valuenow", String(Number(value.toPrecision(4))));
          dot.setAttribute("aria-valuetext", number(value));
        }
      });
    },
    numberOf(event) {
      const dot = (event.target as HTMLElement).closest<HTMLElement>(".kw-handle");
      return dot ? Number(dot.dataset.number) : -1;
    },
    remember(number) {
      focused = number;
    },
    step(from, by) {
      let next = from;
      do next = (next + by + dots.length) % dots.length;
      while (dots[next].hidden && next !== from);
      focused = next;
      dots[next].focus();
    },
  };
}
