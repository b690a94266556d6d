/** Shapes as the text of an SVG. */

import { type Matrix, type Shape, short } from "./record.ts";

export function svgOf(
  shapes: readonly Shape[],
  paper: { width: number; height: number; ground: string; title: string },
): string {
  const clips = new Map<string, string>();
  const clipOf = (d: string) => {
    if (!d) return "";
    if (!clips.has(d)) clips.set(d, `clip${clips.size}`);
    return ` clip-path="url(#${clips.get(d)})"`;
  };
  const usual = usualFamily(shapes);
  const parts = shapes.map((shape) => {
    const [own, clip] = [written(shape, usual), clipOf(shape.clip)];
    // A clip on what is turned or scaled would be turned or scaled as well.
    if (clip && own.includes(" transform=")) return `<g${clip}>${own}${ending(shape)}</g>`;
    return own + clip + ending(shape);
  });
  const defs = [...clips].map(([d, name]) => `<clipPath id="${name}"><path d="${d}"/></clipPath>`);
  const [w, h] = [short(paper.width), short(paper.height)];
  const title = escaped(paper.title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="${title}" font-family="${escaped(usual)}">`,
    `<title>${title}</title>`,
    defs.length ? `<defs>${defs.join("")}</defs>` : "",
    `<rect width="${w}" height="${h}"${ink("fill", paper.ground)}/>`,
    ...parts,
    "</svg>",
    "",
  ]
    .filter((line, k, all) => line || k === all.length - 1)
    .join("\n");
}

/** The fonts that most texts are written in. */
function usualFamily(shapes: readonly Shape[]): string {
  const counts = new Map<string, number>();
  for (const shape of shapes) {
    if (shape.kind !== "text") continue;
    const { family } = fontOf(shape.font);
    counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "sans-serif";
}

function written(shape: Shape, usual: string): string {
  const faint = shape.opacity < 1 ? ` opacity="${short(shape.opacity)}"` : "";
  if (shape.kind === "path") {
    const turned = shape.matrix ? transform(shape.matrix) : "";
    if (shape.stroke === undefined) {
      return `<path d="${shape.d}"${turned}${ink("fill", shape.fill ?? "none")}${faint}`;
    }
    const dash = shape.dash?.length ? ` stroke-dasharray="${shape.dash.map(short).join(" ")}"` : "";
    const join = shape.join && shape.join !== "miter" ? ` stroke-linejoin="${shape.join}"` : "";
    const cap = shape.cap && shape.cap !== "butt" ? ` stroke-linecap="${shape.cap}"` : "";
    const crisp = shape.crisp ? ' shape-rendering="crispEdges"' : "";
    const width = ` stroke-width="${short(shape.width ?? 1)}"`;
    const line = `${ink("stroke", shape.stroke)}${width}${dash}${join}${cap}${crisp}`;
    return `<path d="${shape.d}"${turned} fill="none"${line}${faint}`;
  }
  if (shape.kind === "text") {
    const [a, b, c, d, e, f] = shape.matrix;
    const { size, family, weight, style } = fontOf(shape.font);
    const plain = a === d && b === 0 && c === 0;
    const place = plain
      ? `x="${short(e + a * shape.x)}" y="${short(f + d * shape.y)}"`
      : `x="${short(shape.x)}" y="${short(shape.y)}"${transform(shape.matrix)}`;
    const other = family === usual ? "" : ` font-family="${escaped(family)}"`;
    const kind = `font-size="${short(size * (plain ? a : 1))}"${other}`;
    const heavy = weight === "400" || weight === "normal" ? "" : ` font-weight="${weight}"`;
    const leaning = style === "normal" ? "" : ` font-style="${style}"`;
    const anchor = shape.align === "start" ? "" : ` text-anchor="${shape.align}"`;
    const spaced = shape.text === shape.text.trim() ? "" : ' xml:space="preserve"';
    return `<text ${place} ${kind}${heavy}${leaning}${anchor}${spaced}${ink("fill", shape.fill)}${faint}`;
  }
  const [x, y, w, h] = shape.box.map(short);
  const hard = shape.smooth ? "" : ' style="image-rendering:pixelated"';
  return `<image x="${x}" y="${y}" width="${w}" height="${h}" preserveAspectRatio="none"${hard}${faint} href="${shape.href}"`;
}

function transform(matrix: Matrix): string {
  const [a, b, c, d, e, f] = matrix.map((value) => Number(value.toFixed(5)));
  const plain = a === 1 && b === 0 && c === 0 && d === 1;
  const how = plain ? `translate(${e} ${f})` : `matrix(${[a, b, c, d, e, f].join(" ")})`;
  return ` transform="${how}"`;
}

function ending(shape: Shape): string {
  return shape.kind === "text" ? `>${escaped(shape.text)}</text>` : "/>";
}

/** A colour as all readers of SVG know it: its share of cover is an attribute of its own. */
export function ink(name: "fill" | "stroke", colour: string): string {
  const parts = /^rgba?\((.*)\)$/.exec(colour)?.[1].split(/[\s,/]+/);
  if (!parts) return ` ${name}="${escaped(colour)}"`;
  const [red, green, blue, cover] = parts;
  const share = cover === undefined ? "" : ` ${name}-opacity="${cover}"`;
  return ` ${name}="rgb(${red},${green},${blue})"${share}`;
}

/** The parts of a CSS font such as "italic 600 12px Inter, sans-serif". */
export function fontOf(font: string): {
  size: number;
  family: string;
  weight: string;
  style: string;
} {
  const found = /^(.*?)([\d.]+)px(?:\/\S+)?\s+(.*)$/.exec(font);
  if (!found) return { size: 10, family: "sans-serif", weight: "400", style: "normal" };
  const [, before, size, family] = found;
  const weight = /\b(bold|[1-9]00)\b/.exec(before)?.[1] ?? "400";
  const style = /\b(italic|oblique)\b/.exec(before)?.[1] ?? "normal";
  return { size: Number(size), family, weight, style };
}

/** Text for XML 1.0, which has no other control characters than these three, nor half pairs. */
export function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
