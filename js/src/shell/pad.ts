/** A sheet to draw on, laid over a view whose image is drawn too small for a hand. */

import { indexWithin, STEPS } from "../phi/geometry.ts";
import type { Sketch } from "../phi/sketch.ts";
import { greyPixels } from "../scene/heat.ts";
import { createKit } from "./controls.ts";
import { element, listen, putAttributes, putStyle, putWords } from "./element.ts";
import { DIRECTIONS, plainKey, used } from "./keys.ts";
import type { Shell } from "./mount.ts";
import { createPen } from "./pen.ts";
import { placeOn, type Stage } from "./stage.ts";

const CANVAS_NAME =
  "Your drawing. Arrows move the pen, Space draws, Backspace erases, Escape puts the pad away.";

/** `over` is what it lies on; `back` gets the keyboard when it is put away. */
export function createPad(shell: Shell, over: HTMLElement, sketch: Sketch, back: HTMLElement) {
  const { document, signal } = shell;
  const root = element(document, "div", "kw-pad", over);
  root.hidden = true;
  putAttributes(root, { role: "dialog", "aria-label": "Draw an example of your own" });
  const sheet = element(document, "div", "kw-pad-sheet", root);
  const canvas = element(document, "canvas", "kw-pad-image", sheet);
  canvas.tabIndex = 0;
  putAttributes(canvas, { role: "application", "aria-label": CANVAS_NAME });
  const mark = element(document, "div", "kw-pad-mark", sheet);
  mark.hidden = true;
  const foot = element(document, "div", "kw-tools", root);
  const verdictLine = element(document, "div", "kw-pad-verdict", root);
  const canvasBox = () => ({ x: 0, y: 0, width: canvas.clientWidth, height: canvas.clientHeight });
  const at: Stage["at"] = (event) => placeOn(canvas, event);
  const pen = createPen(shell, { canvas, at }, sketch, canvasBox);
  let penAt: [x: number, y: number] = [0, 0];

  function close() {
    if (root.hidden) return;
    const hadKeyboard = root.contains((root.getRootNode() as Document).activeElement);
    root.hidden = true;
    if (hadKeyboard) back.focus({ preventScroll: true });
  }

  function place() {
    const { width, height } = sketch.image();
    const [x, y] = penAt;
    putStyle(mark, {
      left: `${(100 * x) / width}%`,
      top: `${(100 * y) / height}%`,
      width: `${100 / width}%`,
      height: `${100 / height}%`,
    });
  }

  function key(event: KeyboardEvent) {
    if (!plainKey(event)) return;
    const { width, height } = sketch.image();
    const direction = DIRECTIONS[event.key];
    if (direction) {
      const [right, down] = STEPS[direction];
      penAt = [indexWithin(penAt[0] + right, width), indexWithin(penAt[1] + down, height)];
    } else if (event.key === " " || event.key === "Enter") pen.dot(penAt[1], penAt[0], false);
    else if (event.key === "Backspace") pen.dot(penAt[1], penAt[0], true);
    else return;
    mark.hidden = false;
    place();
    used(event);
    shell.schedule();
  }

  const kit = createKit(document, signal);
  foot.append(
    kit.button("clear", "Clear the drawing", "kw-button", pen.clear),
    kit.button("done", "Put the pad away (Escape)", "kw-button", close),
  );
  listen(canvas, signal, {
    keydown: key,
    blur: () => mark.toggleAttribute("hidden", true),
  });
  listen(root, signal, {
    keydown(event) {
      if (event.key !== "Escape") return;
      used(event);
      close();
    },
    // The view under the pad takes the wheel and the pointer for itself.
    pointerdown: (event) => event.stopPropagation(),
  });

  return {
    open() {
      const { width, height } = sketch.image();
      root.hidden = false;
      root.style.top = "";
      penAt = [Math.floor(width / 2), Math.floor(height / 2)];
      canvas.focus({ preventScroll: true });
      shell.schedule();
    },
    close,
    /** Draws what the sketch holds, and what is made of it. When it opens the pad ends at `end` pixels; there it stays under the pen, whatever moves below it. */
    show(verdict: string, end: number) {
      if (root.hidden) return;
      const { data, width, height } = sketch.image();
      Object.assign(canvas, { width, height });
      const { rgba } = greyPixels(data, width, sketch.ends());
      const pixels = new ImageData(new Uint8ClampedArray(rgba), width, height);
      canvas.getContext("2d")?.putImageData(pixels, 0, 0);
      putWords(verdictLine, verdict);
      root.style.top ||= `${end - root.offsetHeight}px`;
    },
  };
}
