/** Ground and edges of an HTML element, as its computed style has them. */

import { type Clip, edgeOf, meet, type Place, pathOf } from "./clip.ts";
import { bandsOf, isInk } from "./css.ts";
import { type Shape, short } from "./record.ts";

const SIDES = ["Top", "Right", "Bottom", "Left"] as const;
const CORNERS = ["TopLeft", "TopRight", "BottomRight", "BottomLeft"] as const;
/** From each corner to the next. */
const WAYS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

interface Edge {
  width: number;
  ink: string;
  dashed: boolean;
}

export function boxShapes(box: Clip, style: CSSStyleDeclaration, place: Place): Shape[] {
  const radii = CORNERS.map((corner) => {
    const given = style[`border${corner}Radius`];
    // A percentage is of the side.
    const share = given.endsWith("%") ? (box.right - box.left) / 100 : 1;
    return (Number.parseFloat(given) || 0) * share;
  });
  const edges = SIDES.map((side) => edgeAt(style, side));
  if (radii.some((radius) => radius > 0)) return rounded(box, radii, edges, style, place);
  const { opacity } = place;
  const shapes: Shape[] = [];
  const fill = (part: Clip, ink: string) => {
    if (part.right <= part.left || part.bottom <= part.top || !isInk(ink)) return;
    shapes.push({ kind: "path", d: pathOf(part, place.paper), fill: ink, opacity, clip: "" });
  };
  fill(meet(place.clip, box), style.backgroundColor);
  const width = box.right - box.left;
  const bands = bandsOf(style.backgroundImage, width);
  bands.forEach(({ ink, from, to }, k) => {
    // A hair wider where another follows, so that no seam is seen.
    const hair = k < bands.length - 1 && isInk(bands[k + 1].ink) ? 0.5 : 0;
    const right = Math.min(box.right, box.left + to * width + hair);
    fill(meet(place.clip, { ...box, left: box.left + from * width, right }), ink);
  });
  edges.forEach((edge, k) => {
    if (!edge) return;
    const { width, ink, dashed } = edge;
    const half = width / 2;
    const line = {
      Top: { ...box, top: box.top + half, bottom: box.top + half },
      Right: { ...box, left: box.right - half, right: box.right - half },
      Bottom: { ...box, top: box.bottom - half, bottom: box.bottom - half },
      Left: { ...box, left: box.left + half, right: box.left + half },
    }[SIDES[k]];
    const { left, top, right, bottom } = line;
    const [x, y] = [place.paper.left, place.paper.top];
    const d = `M${short(left - x)} ${short(top - y)}L${short(right - x)} ${short(bottom - y)}`;
    const dash = dashed ? dashesOf(width, right - left + bottom - top) : [];
    shapes.push({ kind: "path", d, stroke: ink, width, dash, opacity, clip: edgeOf(place) });
  });
  return shapes;
}

function edgeAt(style: CSSStyleDeclaration, side: (typeof SIDES)[number]): Edge | null {
  const width = Number.parseFloat(style[`border${side}Width`]);
  const [ink, kind] = [style[`border${side}Color`], style[`border${side}Style`]];
  if (!(width > 0) || kind === "none" || kind === "hidden" || !isInk(ink)) return null;
  return { width, ink, dashed: kind === "dashed" };
}

/** Dashes as Chromium draws them: a whole number of them on a line of this length. */
export function dashesOf(width: number, length: number): [dash: number, gap: number] {
  const [dash, gap] = width < 3 ? [3 * width, 2 * width] : [2 * width, width];
  const few = Math.floor((length + gap) / (dash + gap));
  if (few < 2) return [dash, gap];
  const gaps = [few, few + 1].map((count) => (length - count * dash) / (count - 1));
  const [wide, tight] = gaps;
  return [dash, tight <= 0 || Math.abs(wide - gap) < Math.abs(tight - gap) ? wide : tight];
}

/** The line around an element that takes no room: what is selected. */
export function frameShapes(box: Clip, style: CSSStyleDeclaration, place: Place): Shape[] {
  const shapes: Shape[] = [];
  const around = (out: number, stroke: string, width: number) => {
    const { left, top, right, bottom } = box;
    const line = { left: left - out, top: top - out, right: right + out, bottom: bottom + out };
    const d = pathOf(line, place.paper);
    const { opacity } = place;
    shapes.push({ kind: "path", d, stroke, width, opacity, clip: edgeOf(place) });
  };
  const width = Number.parseFloat(style.outlineWidth);
  if (style.outlineStyle === "solid" && width > 0) {
    around(width / 2 + (Number.parseFloat(style.outlineOffset) || 0), style.outlineColor, width);
  }
  // A shadow without blur is a line too.
  const shadow = /^(rgba?\([^)]*\)) 0px 0px 0px ([\d.]+)px( inset)?$/.exec(style.boxShadow);
  if (shadow && isInk(shadow[1])) {
    const wide = Number(shadow[2]);
    around(shadow[3] ? -wide / 2 : wide / 2, shadow[1], wide);
  }
  return shapes;
}

function rounded(
  box: Clip,
  radii: readonly number[],
  edges: readonly (Edge | null)[],
  style: CSSStyleDeclaration,
  place: Place,
): Shape[] {
  const common = { kind: "path", opacity: place.opacity, clip: edgeOf(place) } as const;
  const shapes: Shape[] = [];
  const ground = style.backgroundColor;
  if (isInk(ground)) {
    const d = along(box, radii, edges, [0, 1, 2, 3], place.paper, true);
    shapes.push({ ...common, d, fill: ground });
  }
  // From a side that follows a gap: the line is drawn around in one piece.
  const gap = edges.findIndex((edge, k) => edge && !edges[(k + 3) % 4]);
  const sides = [0, 1, 2, 3].map((k) => (k + Math.max(0, gap)) % 4).filter((k) => edges[k]);
  const edge = edges[sides[0]];
  if (edge) {
    const { width, ink, dashed } = edge;
    const d = along(box, radii, edges, sides, place.paper, sides.length === 4);
    const dash = dashed ? dashesOf(width, 0) : [];
    shapes.push({ ...common, d, stroke: ink, width, dash });
  }
  return shapes;
}

/** The middle of the edges on some sides, one after the other, with the corners between them. */
function along(
  box: Clip,
  radii: readonly number[],
  edges: readonly (Edge | null)[],
  sides: readonly number[],
  paper: Clip,
  closed: boolean,
): string {
  const [up, right, down, left] = edges.map((edge) => (edge?.width ?? 0) / 2);
  const [l, r] = [box.left + left, box.right - right];
  const [t, b] = [box.top + up, box.bottom - down];
  const corners = [
    [l, t],
    [r, t],
    [r, b],
    [l, b],
  ];
  const widest = Math.max(up, right, down, left);
  const turns = radii.map((radius) =>
    Math.min(Math.max(0, radius - widest), (r - l) / 2, (b - t) / 2),
  );
  const at = (corner: number, side: number, by: number) => {
    const [x, y] = corners[corner];
    const [dx, dy] = WAYS[side];
    return `${short(x + by * dx - paper.left)} ${short(y + by * dy - paper.top)}`;
  };
  const parts = sides.flatMap((side, n) => {
    const [before, after] = [sides[n - 1], sides[n + 1]];
    const next = (side + 1) % 4;
    const [from, to] = [turns[side], turns[next]];
    const joined = before !== undefined && (before + 1) % 4 === side;
    const turning = to > 0 && (after === next || (closed && after === undefined));
    return [
      joined ? "" : `M${at(side, side, from)}`,
      `L${at(next, side, -to)}`,
      turning ? `A${short(to)} ${short(to)} 0 0 1 ${at(next, next, to)}` : "",
    ];
  });
  return parts.join("") + (closed ? "Z" : "");
}
