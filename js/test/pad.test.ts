// @vitest-environment happy-dom
/** The sheet that is laid over a small image: to draw on with mouse, finger and keyboard. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSketch, type Sketch } from "../src/phi/sketch.ts";
import type { Shell } from "../src/shell/mount.ts";
import { createPad } from "../src/shell/pad.ts";

let life: AbortController;
let sketch: Sketch;
let pad: ReturnType<typeof createPad>;
let back: HTMLElement;
let kept: { shape: number[]; values: Float32Array }[];
let pictures: Uint8ClampedArray[];

const part = <T extends HTMLElement>(name: string) => document.querySelector(`.kw-pad${name}`) as T;
const canvas = () => part<HTMLCanvasElement>(" canvas");
const press = (key: string) =>
  canvas().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
/** How much ink stands at a pixel of the 8 × 8 sheet, from 0 to 1. */
const ink = (row: number, column: number) => (sketch.image().data[8 * row + column] + 1) / 2;

beforeEach(() => {
  life = new AbortController();
  kept = [];
  pictures = [];
  vi.stubGlobal(
    "ImageData",
    class {
      constructor(readonly data: Uint8ClampedArray) {}
    },
  );
  const context = { putImageData: ({ data }: ImageData) => pictures.push(data.slice()) };
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as never);
  // The sheet is 80 pixels wide, so a pixel of the drawing takes ten.
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(80);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(80);
  sketch = createSketch();
  sketch.fit(8, 8, -1, 1);
  back = document.body.appendChild(document.createElement("button"));
  const shell = {
    document,
    signal: life.signal,
    schedule: () => {},
    choose: (_: string, { shape, data }: { shape: number[]; data: DataView }) =>
      kept.push({ shape, values: new Float32Array(data.buffer) }),
  } as unknown as Shell;
  const over = document.body.appendChild(document.createElement("div"));
  pad = createPad(shell, over, sketch, back);
});

afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

describe("the pad", () => {
  it("is away until it is opened, and gives the keyboard back when it is put away", () => {
    expect(part("").hidden).toBe(true);
    pad.open();
    expect(part("").hidden).toBe(false);
    expect(document.activeElement).toBe(canvas());
    press("Escape");
    expect(part("").hidden).toBe(true);
    expect(document.activeElement).toBe(back);
  });

  it("shows the drawing in grey and what is made of it", () => {
    pad.show("your drawing: 7", 30);
    expect(pictures).toEqual([]);
    pad.open();
    sketch.line([4.5, 4.5], [4.5, 4.5], false);
    pad.show("your drawing: 7", 30);
    expect(pictures[0].length).toBe(4 * 64);
    expect(pictures[0][4 * (8 * 4 + 4)]).toBe(Math.round(255 * ink(4, 4)));
    expect(pictures[0][0]).toBe(0);
    expect(part("").textContent).toContain("your drawing: 7");
  });

  it("stays under the pen while what is below it moves, and is placed anew when it opens again", () => {
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(100);
    pad.open();
    pad.show("nothing is drawn yet", 280);
    expect(part("").style.top).toBe("180px");
    pad.show("your drawing: 7", 263);
    expect(part("").style.top).toBe("180px");
    pad.close();
    pad.open();
    pad.show("your drawing: 7", 263);
    expect(part("").style.top).toBe("163px");
  });

  it.each(["mouse", "touch", "pen"])("is drawn on with a %s", (pointerType) => {
    pad.open();
    const at = (x: number, y: number) => ({
      ...{ clientX: x, clientY: y, pointerType, bubbles: true, button: 0 },
    });
    const outside = vi.fn();
    document.body.addEventListener("pointerdown", outside);
    canvas().dispatchEvent(new PointerEvent("pointerdown", at(15, 15)));
    canvas().dispatchEvent(new PointerEvent("pointermove", at(65, 15)));
    expect(kept).toEqual([]);
    canvas().dispatchEvent(new PointerEvent("pointerup", at(65, 15)));
    expect([ink(1, 1), ink(1, 4), ink(1, 6)].every((one) => one > 0.9)).toBe(true);
    expect(ink(6, 4)).toBe(0);
    expect(kept.map(({ shape }) => shape)).toEqual([[1, 1, 8, 8]]);
    expect(kept[0].values).toEqual(sketch.image().data);
    // What lies below neither pans nor takes the wheel.
    expect(outside).not.toHaveBeenCalled();
  });

  it("keeps a finger from scrolling the page", () => {
    pad.open();
    const touch = new Event("touchstart", { bubbles: true, cancelable: true });
    Object.assign(touch, { touches: [{ clientX: 40, clientY: 40 }] });
    canvas().dispatchEvent(touch);
    expect(touch.defaultPrevented).toBe(true);
  });

  it("is drawn on by keyboard, from the middle and no further than its edge", () => {
    pad.open();
    press(" ");
    expect(ink(4, 4)).toBeGreaterThan(0.9);
    press("Backspace");
    expect(ink(4, 4)).toBe(0);
    for (let k = 0; k < 20; k++) press("ArrowLeft");
    for (let k = 0; k < 20; k++) press("ArrowUp");
    press("Enter");
    expect(ink(0, 0)).toBeGreaterThan(0.9);
    expect(ink(4, 4)).toBe(0);
    expect(kept.length).toBe(3);
  });

  it("clears", () => {
    pad.open();
    press(" ");
    const [clear, done] = document.querySelectorAll<HTMLButtonElement>(".kw-pad button");
    clear.click();
    expect(Math.max(...sketch.image().data)).toBe(-1);
    done.click();
    expect(part("").hidden).toBe(true);
  });
});
