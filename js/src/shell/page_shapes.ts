/** The words, boxes, canvases and inline SVG of a part of the page, as shapes where they are on screen. */

import { boxShapes, frameShapes } from "./box_shapes.ts";
import { type Clip, edgeOf, meet } from "./clip.ts";
import { fontIn, isInk } from "./css.ts";
import { svgShapes } from "./inline_svg.ts";
import { moved, pixelsOf, type Shape } from "./record.ts";

export interface Drawn {
  width: number;
  height: number;
  ground: string;
  shapes: Shape[];
  /** Canvases whose pixels go into a PNG as they are, with the place in `shapes` they come at. */
  canvases: { canvas: HTMLCanvasElement; box: DOMRect; before: number; count: number }[];
}

/** Not in a picture: what only serves the mouse. */
const LEFT_OUT = [
  ".kw-save, .kw-hidden, .kw-spoken, .kw-tip, .kw-time-place, .kw-when, .kw-again",
  ".kw-over-line, .kw-over-band",
].join();

/** Inputs that the browser draws whole, whatever their style says. */
const NATIVE = ["checkbox", "radio", "range"];

/** Gives what is seen of `root`; `recorded` has the shapes of the canvases that were just drawn. */
export function shapesOf(root: HTMLElement, recorded: Map<HTMLCanvasElement, Shape[]>): Drawn {
  const document = root.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const ratio = window.devicePixelRatio || 1;
  const paper = wholePixels(root.getBoundingClientRect(), ratio);
  const drawn: Drawn = {
    width: paper.right - paper.left,
    height: paper.bottom - paper.top,
    ground: groundOf(root, window),
    shapes: [],
    canvases: [],
  };
  const measure = document.createElement("canvas").getContext("2d");
  /** Of the element that is visited, with all around it. */
  let opacity = 1;
  visit(root, paper);
  return drawn;

  function visit(element: Element, clip: Clip): void {
    if (element !== root && element.matches(LEFT_OUT)) return;
    const style = window.getComputedStyle(element);
    if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return;
    const outer = opacity;
    opacity *= Number(style.opacity);
    show(element, style, clip);
    opacity = outer;
  }

  function show(element: Element, style: CSSStyleDeclaration, clip: Clip): void {
    const rect = element.getBoundingClientRect();
    const seen = rect.right > clip.left && rect.left < clip.right && rect.width > 0;
    const native = element instanceof window.HTMLInputElement && NATIVE.includes(element.type);
    if (seen && element !== root && !native) decorate(rect, style, clip);
    if (element instanceof window.HTMLCanvasElement) {
      if (seen) place(element, rect, clip);
      return;
    }
    if (element instanceof window.SVGSVGElement) {
      const inner = style.overflowX === "visible" ? clip : meet(clip, rect);
      const there = snapped(rect);
      const shift = { x: there.left - rect.left, y: there.top - rect.top };
      drawn.shapes.push(...svgShapes(element, { paper, clip: inner, opacity }, shift));
      return;
    }
    if (element instanceof window.HTMLSelectElement) {
      field(element.selectedOptions[0]?.textContent ?? "", rect, style, clip);
      return;
    }
    if (element instanceof window.HTMLInputElement) {
      input(element, rect, style, clip);
      return;
    }
    const inner = style.overflowX === "visible" ? clip : meet(clip, rect);
    sign(element, rect, inner);
    if (style.display === "list-item" && element.matches("summary")) {
      triangle(element.parentElement?.hasAttribute("open") ?? false, rect, style, inner);
    }
    const closed = element instanceof window.HTMLDetailsElement && !element.open;
    for (const child of element.childNodes) {
      if (closed && !(child instanceof window.Element && child.matches("summary"))) continue;
      if (child instanceof window.Element) visit(child, inner);
      else if (child instanceof window.Text) write(child, style, inner);
    }
  }

  function place(canvas: HTMLCanvasElement, rect: DOMRect, clip: Clip): void {
    const before = drawn.shapes.length;
    const there = snapped(rect);
    const [x, y] = [there.left - paper.left, there.top - paper.top];
    const [wide, high] = [there.right - there.left, there.bottom - there.top];
    const shapes = recorded.get(canvas) ?? [];
    const cover = edgeOf({ paper, opacity, clip: meet(clip, rect) });
    if (shapes.length > 0 && canvas.width > 0) {
      const [kx, ky] = [wide / canvas.width, high / canvas.height];
      for (const shape of shapes) {
        const here = moved(shape, kx, ky, x, y);
        drawn.shapes.push(here.clip ? here : { ...here, clip: cover });
      }
    } else if (!isBlank(canvas)) {
      drawn.shapes.push({
        kind: "image",
        href: pixelsOf(canvas, 0, 0, canvas.width, canvas.height),
        box: [x, y, wide, high],
        smooth: false,
        opacity,
        clip: cover,
      });
    }
    const count = drawn.shapes.length - before;
    if (count === 0) return;
    const box = new window.DOMRect(x, y, wide, high);
    drawn.canvases.push({ canvas, box, before, count });
  }

  /** Ground and edges, which the screen has at whole pixels. */
  function decorate(rect: DOMRect, style: CSSStyleDeclaration, clip: Clip): void {
    const at = { paper, clip, opacity };
    drawn.shapes.push(...boxShapes(snapped(rect), style, at));
    drawn.shapes.push(...frameShapes(snapped(rect), style, at));
  }

  function snapped({ left, top, right, bottom }: Clip): Clip {
    const snap = (value: number) => Math.round(value * ratio) / ratio;
    return { left: snap(left), top: snap(top), right: snap(right), bottom: snap(bottom) };
  }

  /** What a style sheet puts before an element's words: a small sign, without words. */
  function sign(element: Element, rect: DOMRect, clip: Clip): void {
    const style = window.getComputedStyle(element, "::before");
    if (style.content === "none" || style.content === "normal" || style.content === "") return;
    const around = style.boxSizing === "border-box" ? 0 : 1;
    const across = edge(style, "Left") + edge(style, "Right");
    const down = edge(style, "Top") + edge(style, "Bottom");
    const wide = Math.max(across, Number.parseFloat(style.width) + around * across);
    const high = Math.max(down, Number.parseFloat(style.height) + around * down);
    if (!(wide > 0) || !(high > 0)) return;
    const own = window.getComputedStyle(element);
    let left = rect.left + Number.parseFloat(own.paddingLeft) + edge(own, "Left");
    let top = rect.top;
    if (style.position === "absolute") {
      left = rect.left + edge(own, "Left") + (Number.parseFloat(style.left) || 0);
      top = rect.top + edge(own, "Top") + (Number.parseFloat(style.top) || 0);
    } else {
      const rise = Number.parseFloat(style.verticalAlign) || 0;
      top = rect.top + firstBaseline(rect, own) - rise - high;
      if (style.display !== "inline-block") top = rect.top + (rect.height - high) / 2;
    }
    const outer = opacity;
    opacity *= Number(style.opacity);
    decorate(new window.DOMRect(left, top, wide, high), style, clip);
    opacity = outer;
  }

  /** How far below the top of an element the baseline of its first line is. */
  function firstBaseline({ height }: DOMRect, style: CSSStyleDeclaration): number {
    const line = Number.parseFloat(style.lineHeight);
    if (style.display.startsWith("inline") || !(line > 0)) return baselineIn(height, style);
    return edge(style, "Top") + Number.parseFloat(style.paddingTop) + baselineIn(line, style);
  }

  /** What opens and closes the details under a summary. */
  function triangle(open: boolean, rect: DOMRect, style: CSSStyleDeclaration, clip: Clip): void {
    const size = 0.62 * Number.parseFloat(style.fontSize);
    const left = rect.left - paper.left + Number.parseFloat(style.paddingLeft);
    const bottom = rect.top - paper.top + firstBaseline(rect, style);
    const [right, top] = [left + size, bottom - size];
    const [x, y] = [left + size / 2, bottom - size / 2];
    const d = open
      ? `M${left} ${top}L${right} ${top}L${x} ${bottom}Z`
      : `M${left} ${top}L${right} ${y}L${left} ${bottom}Z`;
    const place = edgeOf({ paper, clip, opacity });
    drawn.shapes.push({ kind: "path", d, fill: style.color, opacity, clip: place });
  }

  function edge(style: CSSStyleDeclaration, side: "Top" | "Right" | "Bottom" | "Left"): number {
    return Number.parseFloat(style[`border${side}Width`]) || 0;
  }

  function write(node: Text, style: CSSStyleDeclaration, clip: Clip): void {
    const words = node.data;
    if (!words.trim()) return;
    const range = document.createRange();
    // The pieces that lie in one line: a piece ends where the next character is further up or down.
    let start = 0;
    let line: DOMRect | null = null;
    const flush = (end: number) => {
      if (line) text(words.slice(start, end), line, style, clip);
    };
    range.selectNodeContents(node);
    const rects = range.getClientRects();
    if (rects.length === 1) {
      text(words, rects[0], style, clip);
      return;
    }
    for (let k = 0; k < words.length; k++) {
      range.setStart(node, k);
      range.setEnd(node, k + 1);
      const rect = range.getClientRects()[0];
      if (!rect || rect.width === 0) continue;
      if (!line || Math.abs(rect.top - line.top) > 2) {
        flush(k);
        start = k;
        line = rect;
      } else line = new window.DOMRect(line.left, line.top, rect.right - line.left, line.height);
    }
    flush(words.length);
  }

  /** Writes into the box of a field, from its left. */
  function field(words: string, rect: DOMRect, style: CSSStyleDeclaration, clip: Clip): void {
    const left = rect.left + Number.parseFloat(style.paddingLeft) + edge(style, "Left");
    let start = left;
    if (measure && (style.textAlign === "right" || style.textAlign === "end")) {
      measure.font = fontIn(style);
      const end = rect.right - Number.parseFloat(style.paddingRight) - edge(style, "Right");
      start = Math.max(left, end - measure.measureText(words).width);
    }
    // What is not text, such as the arrow of a menu, is to its right.
    const line = new window.DOMRect(start, rect.top, 0, rect.height);
    text(words, line, style, meet(clip, rect));
  }

  function input(
    element: HTMLInputElement,
    rect: DOMRect,
    style: CSSStyleDeclaration,
    clip: Clip,
  ): void {
    if (element.type === "range") {
      slider(element, rect, style, clip);
      return;
    }
    if (!NATIVE.includes(element.type)) {
      field(element.value, rect, style, clip);
      return;
    }
    const [x, y] = [rect.left - paper.left, rect.top - paper.top];
    const [w, h] = [rect.width, rect.height];
    const place = (px: number, py: number) => `${x + px * w} ${y + py * h}`;
    const paths = [`M${place(0.1, 0.1)}L${place(0.9, 0.1)}L${place(0.9, 0.9)}L${place(0.1, 0.9)}Z`];
    if (element.checked) paths.push(`M${place(0.25, 0.5)}L${place(0.45, 0.7)}L${place(0.78, 0.3)}`);
    for (const d of paths) {
      drawn.shapes.push({
        kind: "path",
        d,
        stroke: style.color,
        width: 1,
        opacity,
        clip: edgeOf({ paper, clip, opacity }),
      });
    }
  }

  /** A slider as a line, a part of it in colour, and a dot. */
  function slider(
    { value, min, max, disabled }: HTMLInputElement,
    rect: DOMRect,
    style: CSSStyleDeclaration,
    clip: Clip,
  ): void {
    const share = (Number(value) - Number(min)) / (Number(max) - Number(min) || 1);
    const r = rect.height / 2;
    const [x, y] = [rect.left - paper.left, rect.top - paper.top + r];
    const end = x + rect.width;
    const middle = x + r + share * (rect.width - 2 * r);
    const ink = disabled || style.accentColor === "auto" ? style.color : style.accentColor;
    const common = { kind: "path", clip: edgeOf({ paper, clip, opacity }) } as const;
    const line = { ...common, width: r / 2, cap: "round" };
    const half = `A${r} ${r} 0 0 1`;
    drawn.shapes.push(
      {
        ...line,
        d: `M${x + r / 4} ${y}L${end - r / 4} ${y}`,
        stroke: style.color,
        opacity: 0.2 * opacity,
      },
      { ...line, d: `M${x + r / 4} ${y}L${middle} ${y}`, stroke: ink, opacity },
      {
        ...common,
        d: `M${middle - r} ${y}${half} ${middle + r} ${y}${half} ${middle - r} ${y}Z`,
        fill: ink,
        opacity,
      },
    );
  }

  function text(given: string, line: DOMRect, style: CSSStyleDeclaration, clip: Clip): void {
    let words = given.replace(/\s+/g, " ");
    if (!words.trim() || line.right < clip.left || line.left >= clip.right) return;
    if (line.top >= clip.bottom || line.bottom <= clip.top) return;
    const font = fontIn(style);
    const cut = line.right > clip.right + 1;
    if (measure && cut && style.textOverflow === "ellipsis") {
      measure.font = font;
      const room = clip.right - line.left;
      while (words && measure.measureText(`${words}…`).width > room) words = words.slice(0, -1);
      words += "…";
    }
    if (style.textTransform === "uppercase") words = words.toUpperCase();
    drawn.shapes.push({
      kind: "text",
      text: words,
      x: 0,
      y: 0,
      matrix: [
        1,
        0,
        0,
        1,
        line.left - paper.left,
        line.top - paper.top + baselineIn(line.height, style),
      ],
      font,
      fill: style.color,
      align: "start",
      opacity,
      clip: cut ? edgeOf({ paper, clip, opacity }) : "",
    });
  }

  /** How far below the top of a line of this height its baseline is. */
  function baselineIn(height: number, style: CSSStyleDeclaration): number {
    if (!measure) return 0.8 * height;
    measure.font = fontIn(style);
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = measure.measureText("x");
    return (height - up - down) / 2 + up;
  }
}

/** The pixels of the screen that a rectangle touches. */
function wholePixels({ left, top, right, bottom }: Clip, ratio: number): Clip {
  const down = (value: number) => Math.floor(value * ratio) / ratio;
  const up = (value: number) => Math.ceil(value * ratio) / ratio;
  return { left: down(left), top: down(top), right: up(right), bottom: up(bottom) };
}

/** Whether nothing is drawn on it: bqplot has canvases for what our figures have not. */
function isBlank(canvas: HTMLCanvasElement): boolean {
  if (canvas.width === 0 || canvas.height === 0) return true;
  const copy = canvas.ownerDocument.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const paper = copy.getContext("2d");
  paper?.drawImage(canvas, 0, 0);
  const pixels = paper?.getImageData(0, 0, copy.width, copy.height).data;
  return !pixels || new Uint32Array(pixels.buffer).every((pixel) => pixel === 0);
}

/** The colour behind an element. */
function groundOf(root: HTMLElement, window: Window & typeof globalThis): string {
  for (let node: Element | null = root; node; node = node.parentElement) {
    const { backgroundColor } = window.getComputedStyle(node);
    if (isInk(backgroundColor)) return backgroundColor;
  }
  return "#ffffff";
}
