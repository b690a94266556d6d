/** Writes a scene's marks as SVG. */

import type {
  GroupMark,
  Mark,
  Paint,
  Pixels,
  Rect,
  RectsMark,
  TextMark,
  TilesMark,
} from "./marks.ts";
import { flat } from "./shapes.ts";
import { FALLBACK, MIDDLE, widthOf } from "./text.ts";

/** What marks are written on. */
export interface Paper {
  width: number;
  height: number;
  ground: string;
  title: string;
  /** The picture in words, for those who cannot see it. */
  words: string;
}

/** Turns pixels into the URL of an image: by a page's canvas, or by Pillow where Python draws. */
export type Encode = (pixels: Pixels) => string;

/** The clip paths written so far, and what writes pixels. */
interface SvgContext {
  clips: string[];
  encode: Encode;
}

export function svgOf(marks: readonly Mark[], paper: Paper, encode: Encode): string {
  const clips: string[] = [];
  const body = marks.map((mark) => elementOf(mark, { clips, encode })).join("\n");
  const [w, h] = [short(paper.width), short(paper.height)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" font-family="${FALLBACK}">`,
    `<title>${escaped(paper.title)}</title>`,
    `<desc>${escaped(paper.words)}</desc>`,
    clips.length > 0 ? `<defs>${clips.join("")}</defs>` : "",
    `<rect width="${w}" height="${h}"${colourAttribute("fill", paper.ground)}/>`,
    body,
    "</svg>\n",
  ]
    .filter((line) => line)
    .join("\n");
}

function elementOf(mark: Mark, context: SvgContext): string {
  switch (mark.kind) {
    case "path":
      return `<path d="${mark.d}"${linePaint(mark)}/>`;
    case "lines":
      return `<path d="${pathOf(mark.xy, mark.ends, mark.closed ?? false)}"${linePaint(mark)}/>`;
    case "rects":
      return rectsOf(mark);
    case "dots": {
      const { xy, r } = mark;
      const dots = Array.from({ length: xy.length / 2 }, (_, k) => {
        const own = typeof r === "number" ? r : r[k];
        return `<circle cx="${short(xy[2 * k])}" cy="${short(xy[2 * k + 1])}" r="${short(own)}"/>`;
      });
      return `<g${paintOf(mark)}>${dots.join("")}</g>`;
    }
    case "image":
      return imageTag(mark.box, context.encode(mark.pixels), mark.smooth ?? false, mark.opacity);
    case "tiles": {
      const images = Array.from({ length: mark.boxes.length / 4 }, (_, k) => {
        const [x, y, width, height] = [0, 1, 2, 3].map((part) => mark.boxes[4 * k + part]);
        return imageTag({ x, y, width, height }, context.encode(tileOf(mark, k)), false);
      });
      return `<g${opacityAttribute(mark.opacity)}>${images.join("")}</g>`;
    }
    case "text":
      return textOf(mark);
    case "group": {
      const at = mark.at ? ` transform="translate(${short(mark.at[0])} ${short(mark.at[1])})"` : "";
      return `<g${at}${opacityAttribute(mark.opacity)}>${groupContent(mark, context)}</g>`;
    }
  }
}

/** The marks of a group, clipped only from the first to the last that reaches beyond the clip: a clip is a layer, which is slow. */
function groupContent({ marks, clip }: GroupMark, context: SvgContext): string {
  const lines = marks.map((mark) => elementOf(mark, context));
  const beyond = clip ? marks.map((mark) => !holds(clip, mark)) : [];
  const [from, to] = [beyond.indexOf(true), beyond.lastIndexOf(true) + 1];
  if (!clip || from < 0) return lines.join("\n");
  const inside = lines.slice(from, to).join("\n");
  const group = `<g clip-path="url(#${clipOf(clip, context.clips)})">${inside}</g>`;
  return [...lines.slice(0, from), group, ...lines.slice(to)].join("\n");
}

function imageTag({ x, y, width, height }: Rect, href: string, smooth: boolean, opacity?: number) {
  const how = ` style="image-rendering:${smooth ? "smooth" : "pixelated"}"`;
  return `<image x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" preserveAspectRatio="none"${how}${opacityAttribute(opacity)} href="${href}"/>`;
}

/** One picture of the sheet. */
function tileOf({ sheet, across, size: [width, height] }: TilesMark, k: number): Pixels {
  const rgba = new Uint8ClampedArray(4 * width * height);
  const [left, top] = [(k % across) * width, Math.floor(k / across) * height];
  for (let row = 0; row < height; row++) {
    const from = 4 * ((top + row) * sheet.width + left);
    rgba.set(sheet.rgba.subarray(from, from + 4 * width), 4 * row * width);
  }
  return { width, height, rgba };
}

function clipOf({ x, y, width, height }: Rect, clips: string[]): string {
  const box = `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"/>`;
  const known = clips.findIndex((clip) => clip.includes(box));
  if (known >= 0) return `clip${known}`;
  clips.push(`<clipPath id="clip${clips.length}">${box}</clipPath>`);
  return `clip${clips.length - 1}`;
}

function pathOf(xy: ArrayLike<number>, ends: ArrayLike<number>, closed: boolean): string {
  const parts: string[] = [];
  let p = 0;
  for (let line = 0; line < ends.length; line++) {
    for (let first = true; p < ends[line]; p++, first = false) {
      parts.push(`${first ? "M" : "L"}${short(xy[2 * p])} ${short(xy[2 * p + 1])}`);
    }
    if (closed) parts.push("Z");
  }
  return parts.join("");
}

function rectsOf({ boxes, fills, radius = 0, ...paint }: RectsMark): string {
  const round = radius > 0 ? ` rx="${short(radius)}"` : "";
  const rects = Array.from({ length: boxes.length / 4 }, (_, k) => {
    const [x, y, w, h] = [0, 1, 2, 3].map((part) => short(boxes[4 * k + part]));
    const own = fills ? colourAttribute("fill", fills[k]) : "";
    return `<rect x="${x}" y="${y}" width="${w}" height="${h}"${round}${own}/>`;
  });
  return `<g${paintOf(fills ? { ...paint, fill: "none" } : paint)}>${rects.join("")}</g>`;
}

/** A text of more characters is as wide in every font. */
const FREE = 4;
const ADJUSTED = 'lengthAdjust="spacingAndGlyphs"';

function textOf(mark: TextMark): string {
  const size = mark.size;
  const y = mark.middle ? mark.y + MIDDLE * size : mark.y;
  const weight = mark.weight === 600 ? ' font-weight="600"' : "";
  const anchor = mark.anchor && mark.anchor !== "start" ? ` text-anchor="${mark.anchor}"` : "";
  const turn = mark.turn
    ? ` transform="rotate(${mark.turn} ${short(mark.x)} ${short(mark.y)})"`
    : "";
  const spaced = mark.text === mark.text.trim() ? "" : ' xml:space="preserve"';
  // In another font long words would run into what stands beside them.
  const width = short(widthOf(mark.text, size, mark.weight));
  const long = mark.text.length > FREE ? ` textLength="${width}" ${ADJUSTED}` : "";
  return `<text x="${short(mark.x)}" y="${short(y)}" font-size="${short(size)}"${weight}${anchor}${turn}${spaced}${long}${colourAttribute("fill", mark.fill)}${opacityAttribute(mark.opacity)}>${escaped(mark.text)}</text>`;
}

function paintOf({ fill, stroke, width, dash, opacity, round }: Paint): string {
  const filled = colourAttribute("fill", fill ?? "none");
  if (!stroke) return filled + opacityAttribute(opacity);
  const dashed = dash && dash.length > 0 ? ` stroke-dasharray="${dash.map(short).join(" ")}"` : "";
  const ends = round ? ' stroke-linecap="round"' : "";
  return `${filled}${colourAttribute("stroke", stroke)} stroke-width="${short(width ?? 1)}" stroke-linejoin="round"${dashed}${ends}${opacityAttribute(opacity)}`;
}

/** The paint of a single shape. Its opacity goes to the stroke or fill: a layer of its own takes a renderer long. */
function linePaint(paint: Paint): string {
  const { opacity, ...solid } = paint;
  const whole = paintOf(solid);
  if ((paint.fill && paint.stroke) || /-opacity=/.test(whole)) return paintOf(paint);
  const name = paint.stroke ? "stroke" : "fill";
  return whole + opacityAttribute(opacity).replace("opacity", `${name}-opacity`);
}

function opacityAttribute(opacity: number | undefined): string {
  return opacity === undefined || opacity === 1 ? "" : ` opacity="${short(opacity)}"`;
}

/** A colour as all readers of SVG know it: its opacity is an attribute of its own. */
function colourAttribute(name: "fill" | "stroke", colour: string): string {
  const long = /^#([0-9a-f]{6})([0-9a-f]{2})$/i.exec(colour);
  if (long) {
    return ` ${name}="#${long[1]}" ${name}-opacity="${short(Number.parseInt(long[2], 16) / 255)}"`;
  }
  const parts = /^rgba?\((.*)\)$/.exec(colour)?.[1].split(/[\s,/]+/);
  if (!parts) return ` ${name}="${escaped(colour)}"`;
  const [red, green, blue, cover] = parts;
  const share = cover === undefined ? "" : ` ${name}-opacity="${cover}"`;
  return ` ${name}="rgb(${red},${green},${blue})"${share}`;
}

/** A number with two decimals at most: a fiftieth of a pixel is never seen. */
function short(value: number): string {
  return String(Math.round(100 * value) / 100);
}

/** Text for XML 1.0, which has no other control characters than these three, nor half pairs. */
function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are to be replaced
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}

/** How far letters reach below their line at most, as a share of their size. */
const DESCENT = 0.3;

/** True if a box holds all of a mark but for half the width of its lines, and of its dots; false where only drawing would tell. */
function holds(box: Rect, mark: Mark): boolean {
  if (mark.kind === "group") {
    const { clip, marks, at: [dx, dy] = [0, 0] } = mark;
    const inside = { ...box, x: box.x - dx, y: box.y - dy };
    const isClipped = clip !== undefined && lieIn(inside, corners(flat(clip)));
    return isClipped || marks.every((one) => holds(inside, one));
  }
  const xy = hullOf(mark);
  return xy !== null && lieIn(box, xy);
}

function lieIn({ x, y, width, height }: Rect, xy: ArrayLike<number>): boolean {
  const [right, bottom] = [x + width, y + height];
  for (let k = 0; k + 1 < xy.length; k += 2) {
    if (xy[k] < x || xy[k] > right || xy[k + 1] < y || xy[k + 1] > bottom) return false;
  }
  return true;
}

/** Points between which a mark lies: x0, y0, x1, y1, …; null where they are not known. */
function hullOf(mark: Exclude<Mark, { kind: "group" }>): ArrayLike<number> | null {
  switch (mark.kind) {
    case "path":
      // Curves stay within the points that shape them; arcs do not.
      return /^[\sMLCQZ\d.,e-]*$/.test(mark.d)
        ? (mark.d.match(/-?[\d.]+(?:e-?\d+)?/g)?.map(Number) ?? [])
        : null;
    case "lines":
    case "dots":
      return mark.xy;
    case "image":
      return corners(flat(mark.box));
    case "rects":
    case "tiles":
      return corners(mark.boxes);
    case "text":
      return cornersOf(mark);
  }
}

function cornersOf({ x, y, text, size, weight, anchor, turn, middle }: TextMark): number[] {
  const width = widthOf(text, size, weight);
  const line = y + (middle ? MIDDLE * size : 0);
  const from = anchor === "end" ? -width : anchor === "middle" ? -width / 2 : 0;
  const [up, down] = [size, DESCENT * size];
  if (turn === -90) return [x - up, line - from - width, x + down, line - from];
  const far = width + size;
  if (turn) return [x - far, line - far, x + far, line + far];
  return [x + from, line - up, x + from + width, line + down];
}

function corners(boxes: ArrayLike<number>): number[] {
  const xy: number[] = [];
  for (let k = 0; k < boxes.length; k += 4) {
    const [x, y] = [boxes[k], boxes[k + 1]];
    xy.push(x, y, x + boxes[k + 2], y + boxes[k + 3]);
  }
  return xy;
}
