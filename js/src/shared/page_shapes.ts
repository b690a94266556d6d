/** The words, boxes and canvases of a part of the page, as shapes where they are on screen. */

import { moved, pixelsOf, type Shape, short } from "./record.ts";

export interface Drawn {
  width: number;
  height: number;
  ground: string;
  shapes: Shape[];
  /** Canvases whose pixels go into a PNG as they are, with the place in `shapes` they come at. */
  canvases: { canvas: HTMLCanvasElement; box: DOMRect; before: number; count: number }[];
}

/** Not in a picture: what only serves the mouse. */
const LEFT_OUT = ".kw-save, .kw-hidden, .kw-spoken, .kw-tip, .kw-time-place, .kw-when, .kw-again";

type Clip = { left: number; top: number; right: number; bottom: number };

/** Gives what is seen of `root`; `recorded` has the shapes of the canvases that were just drawn. */
export function shapesOf(root: HTMLElement, recorded: Map<HTMLCanvasElement, Shape[]>): Drawn {
  const document = root.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const page = root.getBoundingClientRect();
  const drawn: Drawn = {
    width: page.width,
    height: page.height,
    ground: groundOf(root, window),
    shapes: [],
    canvases: [],
  };
  const measure = document.createElement("canvas").getContext("2d");
  visit(root, { left: page.left, top: page.top, right: page.right, bottom: page.bottom });
  return drawn;

  function visit(element: Element, clip: Clip): void {
    if (element !== root && element.matches(LEFT_OUT)) return;
    const style = window.getComputedStyle(element);
    if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return;
    const rect = element.getBoundingClientRect();
    const seen = rect.right > clip.left && rect.left < clip.right && rect.width > 0;
    if (seen && element !== root) {
      decorate(rect, style, clip);
      frame(rect, style, clip);
    }
    if (element instanceof window.HTMLCanvasElement) {
      if (seen) place(element, rect, clip);
      return;
    }
    if (element instanceof window.SVGElement) return;
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
    for (const child of element.childNodes) {
      if (child instanceof window.Element) visit(child, inner);
      else if (child instanceof window.Text) write(child, style, inner);
    }
  }

  function place(canvas: HTMLCanvasElement, rect: DOMRect, clip: Clip): void {
    const before = drawn.shapes.length;
    const [x, y] = [rect.left - page.left, rect.top - page.top];
    const shapes = recorded.get(canvas) ?? [];
    const cover = outline(meet(clip, rect));
    if (shapes.length > 0 && canvas.width > 0) {
      const [kx, ky] = [rect.width / canvas.width, rect.height / canvas.height];
      for (const shape of shapes) {
        const here = moved(shape, kx, ky, x, y);
        drawn.shapes.push(here.clip ? here : { ...here, clip: cover });
      }
    } else if (canvas.width > 0 && canvas.height > 0) {
      drawn.shapes.push({
        kind: "image",
        href: pixelsOf(canvas, 0, 0, canvas.width, canvas.height),
        box: [x, y, rect.width, rect.height],
        smooth: false,
        opacity: 1,
        clip: cover,
      });
    }
    const box = new window.DOMRect(x, y, rect.width, rect.height);
    drawn.canvases.push({ canvas, box, before, count: drawn.shapes.length - before });
  }

  /** Ground and edges. */
  function decorate(rect: DOMRect, style: CSSStyleDeclaration, clip: Clip): void {
    const inside = meet(clip, rect);
    const opacity = Number(style.opacity);
    const round = Number.parseFloat(style.borderTopLeftRadius) || 0;
    if (round > 0 && style.borderTopStyle === style.borderLeftStyle) {
      // A percentage is of the side.
      const share = style.borderTopLeftRadius.endsWith("%") ? rect.width / 100 : 1;
      rounded(rect, round * share, style, opacity, clip);
      return;
    }
    if (isInk(style.backgroundColor)) fill(inside, style.backgroundColor, opacity);
    const stops = gradientOf(style.backgroundImage);
    stops.forEach((ink, k) => {
      const wide = (rect.right - rect.left) / stops.length;
      const left = rect.left + k * wide;
      // A hair wider, so that no seam is seen.
      const right = Math.min(rect.right, left + wide + (k < stops.length - 1 ? 0.5 : 0));
      fill({ left, right, top: rect.top, bottom: rect.bottom }, ink, opacity);
    });
    for (const side of ["Top", "Right", "Bottom", "Left"] as const) {
      const width = Number.parseFloat(style[`border${side}Width`]);
      const ink = style[`border${side}Color`];
      const kind = style[`border${side}Style`];
      if (!(width > 0) || kind === "none" || kind === "hidden" || !isInk(ink)) continue;
      const half = width / 2;
      const [l, r, t, b] = [
        rect.left + half,
        rect.right - half,
        rect.top + half,
        rect.bottom - half,
      ];
      const ends = {
        Top: [rect.left, t, rect.right, t],
        Bottom: [rect.left, b, rect.right, b],
        Left: [l, rect.top, l, rect.bottom],
        Right: [r, rect.top, r, rect.bottom],
      }[side].map((value, k) => value - (k % 2 ? page.top : page.left));
      drawn.shapes.push({
        kind: "path",
        d: `M${ends[0]} ${ends[1]}L${ends[2]} ${ends[3]}`,
        stroke: ink,
        width,
        dash: kind === "dashed" ? [2 * width, 2 * width] : [],
        opacity,
        clip: outline(clip),
      });
    }
  }

  /** The line around an element that takes no room: what is selected. */
  function frame(rect: DOMRect, style: CSSStyleDeclaration, clip: Clip): void {
    const width = Number.parseFloat(style.outlineWidth);
    if (style.outlineStyle === "solid" && width > 0) {
      const out = width / 2 + (Number.parseFloat(style.outlineOffset) || 0);
      around(rect, out, style.outlineColor, width, clip);
    }
    // A shadow without blur is a line too.
    const shadow = /^(rgba?\([^)]*\)) 0px 0px 0px ([\d.]+)px( inset)?$/.exec(style.boxShadow);
    if (shadow && isInk(shadow[1])) {
      const wide = Number(shadow[2]);
      around(rect, shadow[3] ? -wide / 2 : wide / 2, shadow[1], wide, clip);
    }
  }

  function around(rect: DOMRect, out: number, stroke: string, width: number, clip: Clip): void {
    const d = pathOf({
      left: rect.left - out,
      top: rect.top - out,
      right: rect.right + out,
      bottom: rect.bottom + out,
    });
    drawn.shapes.push({ kind: "path", d, stroke, width, opacity: 1, clip: outline(clip) });
  }

  function rounded(
    rect: DOMRect,
    radius: number,
    style: CSSStyleDeclaration,
    opacity: number,
    clip: Clip,
  ): void {
    const width = style.borderTopStyle === "none" ? 0 : edge(style, "Top");
    const [l, t] = [rect.left - page.left + width / 2, rect.top - page.top + width / 2];
    const [w, h] = [rect.width - width, rect.height - width];
    const r = Math.min(Math.max(0, radius - width / 2), w / 2, h / 2);
    const turn = (x: number, y: number) => `A${r} ${r} 0 0 1 ${x} ${y}`;
    const d = [
      `M${l + r} ${t}L${l + w - r} ${t}`,
      turn(l + w, t + r),
      `L${l + w} ${t + h - r}`,
      turn(l + w - r, t + h),
      `L${l + r} ${t + h}`,
      turn(l, t + h - r),
      `L${l} ${t + r}`,
      turn(l + r, t),
      "Z",
    ].join("");
    const cover = outline(clip);
    const ground = style.backgroundColor;
    if (isInk(ground)) drawn.shapes.push({ kind: "path", d, fill: ground, opacity, clip: cover });
    const stroke = style.borderTopColor;
    if (width > 0 && isInk(stroke)) {
      drawn.shapes.push({ kind: "path", d, stroke, width, opacity, clip: cover });
    }
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
      top = rect.top + baselineIn(rect.height, own) - rise - high;
      if (style.display !== "inline-block") top = rect.top + (rect.height - high) / 2;
    }
    decorate(new window.DOMRect(left, top, wide, high), style, clip);
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
    if (element.type === "range") return;
    if (element.type !== "checkbox" && element.type !== "radio") {
      field(element.value, rect, style, clip);
      return;
    }
    const [x, y] = [rect.left - page.left, rect.top - page.top];
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
        opacity: 1,
        clip: outline(clip),
      });
    }
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
        line.left - page.left,
        line.top - page.top + baselineIn(line.height, style),
      ],
      font,
      fill: style.color,
      align: "start",
      opacity: Number(style.opacity),
      clip: cut ? outline(clip) : "",
    });
  }

  /** How far below the top of a line of this height its baseline is. */
  function baselineIn(height: number, style: CSSStyleDeclaration): number {
    if (!measure) return 0.8 * height;
    measure.font = fontIn(style);
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = measure.measureText("x");
    return (height - up - down) / 2 + up;
  }

  function fill(clip: Clip, ink: string, opacity: number): void {
    if (clip.right <= clip.left || clip.bottom <= clip.top) return;
    drawn.shapes.push({ kind: "path", d: pathOf(clip), fill: ink, opacity, clip: "" });
  }

  /** The edge of what is seen; empty where that is all of it. */
  function outline(clip: Clip): string {
    const { left, top, right, bottom } = clip;
    const whole =
      left <= page.left && top <= page.top && right >= page.right && bottom >= page.bottom;
    return whole ? "" : pathOf(clip);
  }

  function pathOf({ left, top, right, bottom }: Clip): string {
    const [l, r] = [short(left - page.left), short(right - page.left)];
    const [t, b] = [short(top - page.top), short(bottom - page.top)];
    return `M${l} ${t}L${r} ${t}L${r} ${b}L${l} ${b}Z`;
  }
}

function fontIn(style: CSSStyleDeclaration): string {
  return `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
}

function meet(a: Clip, b: Clip): Clip {
  return {
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  };
}

/** The colours of a gradient from left to right; none where there is none. */
export function gradientOf(image: string): string[] {
  if (!/^linear-gradient\((to right|90deg)/.test(image)) return [];
  return image.match(/(rgba?|oklch|color)\([^)]*\)|#[0-9a-f]+/gi) ?? [];
}

function isInk(colour: string): boolean {
  return colour !== "transparent" && !/^rgba\(.*, 0\)$/.test(colour);
}

/** The colour behind an element. */
function groundOf(root: HTMLElement, window: Window & typeof globalThis): string {
  for (let node: Element | null = root; node; node = node.parentElement) {
    const { backgroundColor } = window.getComputedStyle(node);
    if (isInk(backgroundColor)) return backgroundColor;
  }
  return "#ffffff";
}
