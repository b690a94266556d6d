/** Inline SVG of the page, such as bqplot's figures, as shapes where it is on screen. */

import { type Clip, edgeOf, meet, type Place } from "./clip.ts";
import { fontIn, isInk } from "./css.ts";
import type { Matrix, Shape } from "./record.ts";

type Numbers = Pick<DOMMatrix, "a" | "b" | "c" | "d" | "e" | "f">;

const GROUPS = ["svg", "g", "a"];

/**
 * Gives what an `<svg>` shows. `shift` is from where its box is to the whole pixel at which the
 * screen draws it. Of a clip path only the rectangle around it counts: bqplot has no others.
 */
export function svgShapes(
  svg: SVGSVGElement,
  place: Place,
  shift: { x: number; y: number },
): Shape[] {
  const window = svg.ownerDocument.defaultView as Window & typeof globalThis;
  const page = svg.getRootNode() as Document | ShadowRoot;
  const measure = svg.ownerDocument.createElement("canvas").getContext("2d");
  const shapes: Shape[] = [];
  visit(svg, place.clip, place.opacity);
  return shapes;

  function visit(element: SVGGraphicsElement, outer: Clip, around: number): void {
    const style = window.getComputedStyle(element);
    if (style.display === "none") return;
    // The opacity of the outermost element is in that of the place.
    const opacity = element === svg ? around : around * numberOf(style.opacity);
    const clip = clipOf(element, style, outer);
    if (opacity === 0 || clip.right <= clip.left || clip.bottom <= clip.top) return;
    if (GROUPS.includes(element.localName)) {
      for (const child of element.children) visit(child as SVGGraphicsElement, clip, opacity);
    } else if (element.localName === "text") {
      write(element as SVGTextElement, clip, opacity);
    } else if (style.visibility !== "hidden") {
      draw(element as SVGGeometryElement, style, clip, opacity);
    }
  }

  function draw(
    element: SVGGeometryElement,
    style: CSSStyleDeclaration,
    clip: Clip,
    opacity: number,
  ): void {
    const d = outlineOf(element);
    const matrix = d && matrixOf(element);
    if (!matrix) return;
    const common = { kind: "path", d, matrix, clip: edgeOf({ ...place, clip }) } as const;
    if (isPaint(style.fill) && element.localName !== "line") {
      const share = numberOf(style.fillOpacity);
      shapes.push({ ...common, fill: style.fill, opacity: opacity * share });
    }
    const width = numberOf(style.strokeWidth);
    if (isPaint(style.stroke) && width > 0) {
      shapes.push({
        ...common,
        stroke: style.stroke,
        width,
        dash: (style.strokeDasharray.match(/[\d.]+/g) ?? []).map(Number),
        join: style.strokeLinejoin || "miter",
        cap: style.strokeLinecap || "butt",
        crisp: style.shapeRendering === "crispedges",
        opacity: opacity * numberOf(style.strokeOpacity),
      });
    }
  }

  /** Writes each run of letters of a text, and of the spans in it, where it is. */
  function write(element: SVGTextContentElement, clip: Clip, opacity: number): void {
    const style = window.getComputedStyle(element);
    if (style.display === "none") return;
    const matrix = matrixOf(element);
    const count = element.getNumberOfChars();
    let next = 0;
    for (const child of element.childNodes) {
      if (child instanceof window.Element) {
        const span = child as SVGTextContentElement;
        const share = numberOf(window.getComputedStyle(span).opacity);
        write(span, clip, opacity * share);
        next += span.getNumberOfChars();
        continue;
      }
      let text = (child.textContent ?? "").replace(/\s+/g, " ");
      if (next === 0) text = text.trimStart();
      text = text.slice(0, count - next);
      if (text.trim() && matrix && style.visibility !== "hidden" && isPaint(style.fill)) {
        const from = element.getStartPositionOfChar(next);
        const to = element.getEndPositionOfChar(next + text.length - 1);
        // By the anchor of the page: with another font it still ends, or has its middle, there.
        const align = ANCHORS[style.textAnchor] ?? "start";
        const share = { start: 0, middle: 0.5, end: 1 }[align];
        const font = fontIn(style);
        shapes.push({
          kind: "text",
          text,
          x: from.x + share * (to.x - from.x),
          y: from.y + share * (to.y - from.y) + baselineBelow(style.dominantBaseline, font),
          matrix,
          font,
          fill: style.fill,
          align,
          opacity: opacity * numberOf(style.fillOpacity),
          clip: edgeOf({ ...place, clip }),
        });
      }
      next += text.length;
    }
  }

  /** How far below the place of a text its letters stand. */
  function baselineBelow(which: string, font: string): number {
    if (!measure || !(which in BASELINES)) return 0;
    measure.font = font;
    const x = measure.measureText("x");
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = x;
    return BASELINES[which](up, down, x.actualBoundingBoxAscent);
  }

  /** From an element's own units to those of the picture. */
  function matrixOf(element: SVGGraphicsElement): Matrix | null {
    const found = toScreen(element);
    const { left, top } = place.paper;
    return found && [found.a, found.b, found.c, found.d, found.e - left, found.f - top];
  }

  function toScreen(element: SVGGraphicsElement): Numbers | null {
    const found = element.getScreenCTM();
    if (!found) return null;
    const { a, b, c, d, e, f } = found;
    return { a, b, c, d, e: e + shift.x, f: f + shift.y };
  }

  function clipOf(element: SVGGraphicsElement, style: CSSStyleDeclaration, clip: Clip): Clip {
    let inner = clip;
    const id = /^url\("?#([^")]+)"?\)$/.exec(style.clipPath)?.[1];
    const ours = toScreen(element);
    const parts = [...((id && page.getElementById(id)?.children) || [])] as SVGGraphicsElement[];
    if (ours && parts.length > 0) {
      inner = meet(inner, boxAround(parts.map((part) => boxIn(ours, part.getBBox()))));
    }
    if (element !== svg && element.localName === "svg" && style.overflow !== "visible") {
      const { x, y, width, height } = element as SVGSVGElement;
      const [left, top, wide, high] = [x, y, width, height].map(({ baseVal }) => baseVal.value);
      const parent = toScreen(element.parentElement as unknown as SVGGraphicsElement);
      if (parent)
        inner = meet(inner, boxIn(parent, { x: left, y: top, width: wide, height: high }));
    }
    return inner;
  }
}

const ANCHORS: Record<string, "start" | "middle" | "end"> = { middle: "middle", end: "end" };

const BASELINES: Record<string, (up: number, down: number, x: number) => number> = {
  middle: (_, __, x) => x / 2,
  central: (up, down) => (up - down) / 2,
  hanging: (up) => 0.8 * up,
  "text-before-edge": (up) => up,
  "text-after-edge": (_, down) => -down,
};

/** The rectangle around a box that a matrix has moved and turned. */
function boxIn(
  { a, b, c, d, e, f }: Numbers,
  box: { x: number; y: number; width: number; height: number },
): Clip {
  const corners = [0, 1, 2, 3].map((k) => {
    const x = box.x + (k & 1) * box.width;
    const y = box.y + (k >> 1) * box.height;
    const [left, top] = [a * x + c * y + e, b * x + d * y + f];
    return { left, top, right: left, bottom: top };
  });
  return boxAround(corners);
}

function boxAround(boxes: readonly Clip[]): Clip {
  return {
    left: Math.min(...boxes.map(({ left }) => left)),
    top: Math.min(...boxes.map(({ top }) => top)),
    right: Math.max(...boxes.map(({ right }) => right)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
  };
}

/** The outline of an element as the `d` of a path, in its own units; empty for what has none. */
export function outlineOf(element: Element): string {
  const of = (name: string): number =>
    (element as unknown as Record<string, SVGAnimatedLength>)[name]?.baseVal.value ?? 0;
  switch (element.localName) {
    case "path":
      return shortened(element.getAttribute("d") ?? "");
    case "line":
      return `M${of("x1")} ${of("y1")}L${of("x2")} ${of("y2")}`;
    case "rect":
      return rectangle(of("x"), of("y"), of("width"), of("height"), of("rx"), of("ry"));
    case "circle":
      return ellipse(of("cx"), of("cy"), of("r"), of("r"));
    case "ellipse":
      return ellipse(of("cx"), of("cy"), of("rx"), of("ry"));
    case "polyline":
    case "polygon": {
      const points = element.getAttribute("points")?.trim();
      if (!points) return "";
      return `M${points}${element.localName === "polygon" ? "Z" : ""}`;
    }
    default:
      return "";
  }
}

function rectangle(x: number, y: number, w: number, h: number, rx: number, ry: number): string {
  if (!(w > 0) || !(h > 0)) return "";
  // One radius stands for both.
  const [a, b] = [Math.min(rx || ry, w / 2), Math.min(ry || rx, h / 2)];
  if (a === 0) return `M${x} ${y}L${x + w} ${y}L${x + w} ${y + h}L${x} ${y + h}Z`;
  const turn = (to: string) => `A${a} ${b} 0 0 1 ${to}`;
  return [
    `M${x + a} ${y}L${x + w - a} ${y}`,
    turn(`${x + w} ${y + b}`),
    `L${x + w} ${y + h - b}`,
    turn(`${x + w - a} ${y + h}`),
    `L${x + a} ${y + h}`,
    turn(`${x} ${y + h - b}`),
    `L${x} ${y + b}`,
    turn(`${x + a} ${y}`),
    "Z",
  ].join("");
}

function ellipse(cx: number, cy: number, rx: number, ry: number): string {
  if (!(rx > 0) || !(ry > 0)) return "";
  const half = (to: number) => `A${rx} ${ry} 0 0 1 ${to} ${cy}`;
  return `M${cx - rx} ${cy}${half(cx + rx)}${half(cx - rx)}Z`;
}

/** Drops the decimals that nobody sees; cuts them off, so that no digit before them changes. */
function shortened(d: string): string {
  return d.replace(/(\.\d{3})\d+(?![\d.]*e)/gi, "$1");
}

/** Whether it is a plain colour that is seen. */
function isPaint(paint: string): boolean {
  return paint !== "" && paint !== "none" && !paint.startsWith("url") && isInk(paint);
}

/** A number of a computed style; 1 where it says nothing. */
function numberOf(text: string): number {
  const value = Number.parseFloat(text);
  return Number.isNaN(value) ? 1 : value;
}
