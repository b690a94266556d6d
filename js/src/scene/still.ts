/** A scene as one picture by itself: title, words, drawing. */

import type { Mark, Point, Rect, Remark, Scene, Swatch } from "./marks.ts";
import { dot, line, rects, WORDS, words } from "./shapes.ts";
import { type Encode, type Paper, svgOf } from "./svg.ts";
import { fitted, widthOf, wrapped } from "./text.ts";
import type { Colours, Theme } from "./theme.ts";

const MARGIN = 8;
const TITLE_SIZE = 13;
const LINE = 16;
/** Between remarks, and between the names of a key over a plot. */
const [REMARK_GAP, KEY_GAP] = [16, 12];
const SWATCH_WIDTH = 16;
/** Width of a ramp, whose colours need room to be told apart. */
const RAMP_WIDTH = 44;
/** Height of the line that says that a picture is cut. */
const CUT = 22;

export interface Paged extends Omit<Paper, "ground"> {
  marks: Mark[];
}

/** The whole picture; a scene taller than `most` is cut, which is said. The drawing begins `least` pixels below the top, or under the words. */
export function pictureOf(scene: Scene, theme: Theme, most = Number.POSITIVE_INFINITY, least = 0) {
  const { colours } = theme;
  const width = scene.width;
  const caption = captionMarks(scene, colours, width);
  const head = Math.max(least, caption.height);
  const room = Math.max(60, most - head);
  const shownHeight = scene.height <= room ? scene.height : cutOf(scene, Math.max(60, room - CUT));
  const view: Rect = { x: 0, y: 0, width, height: shownHeight };
  const marks: Mark[] = [...caption.marks];
  marks.push({
    kind: "group",
    at: [0, head],
    clip: view,
    marks: scene.sheets.flatMap((sheet) => [...sheet.marks(view)]),
  });
  let height = head + shownHeight;
  if (shownHeight < scene.height) {
    const share = Math.round((100 * shownHeight) / scene.height);
    const text = `the picture ends here: it shows the top ${share} % of the view`;
    marks.push(words(MARGIN, height + 14, text, colours.muted));
    height += CUT;
  }
  return { marks, width, height, title: scene.title, words: scene.words };
}

/** Pixels above the drawing in the picture of a scene. */
export function headOf(scene: Scene, theme: Theme): number {
  return captionMarks(scene, theme.colours, scene.width).height;
}

/** The height at which a scene is cut to fit `room`: never before its first row ends. */
export function cutOf({ cuts = [], height }: Pick<Scene, "cuts" | "height">, room: number): number {
  if (cuts.length === 0) return room;
  const cutsInside = cuts.filter((cut) => cut <= room);
  return cutsInside.length > 0 ? Math.max(...cutsInside) : Math.min(height, ...cuts);
}

/** Pictures below each other, and how high they are together. */
export function stacked(pictures: readonly Paged[]): { marks: Mark[]; height: number } {
  const marks: Mark[] = [];
  let height = 0;
  for (const picture of pictures) {
    marks.push({ kind: "group", at: [0, height], marks: picture.marks });
    height += picture.height;
  }
  return { marks, height };
}

/** One SVG of pictures below each other. */
export function stackedSvg(pictures: readonly Paged[], theme: Theme, encode: Encode): string {
  const { marks, height } = stacked(pictures);
  const paper = {
    width: Math.max(...pictures.map(({ width }) => width)),
    height,
    ground: theme.colours.surface,
    title: pictures.map(({ title }) => title).join("; "),
    words: pictures.map(({ words }) => words).join(" "),
  };
  return svgOf(pictures.length === 1 ? pictures[0].marks : marks, paper, encode);
}

/** Words where there is no scene. */
export function messageOf(message: string, width: number, theme: Theme): Paged {
  const { ink } = theme.colours;
  const lines = wrapped(message, width - 2 * MARGIN, 12);
  const marks = lines.map((text, k) => words(MARGIN, 24 + LINE * k, text, ink, { size: 12 }));
  return { marks, width, height: 16 + LINE * lines.length, title: message, words: message };
}

function captionMarks(scene: Scene, colours: Colours, width: number) {
  const room = width - 2 * MARGIN;
  const when = widthOf(scene.moment, WORDS);
  const title = fitted(scene.title, room - when - REMARK_GAP, TITLE_SIZE, 600);
  const marks: Mark[] = [words(MARGIN, 19, title, colours.ink, { size: TITLE_SIZE, weight: 600 })];
  if (scene.moment) {
    marks.push(words(width - MARGIN, 19, scene.moment, colours.muted, { anchor: "end" }));
  }
  let [x, y] = [MARGIN, 37];
  for (const remark of scene.caption.filter(({ inside }) => !inside)) {
    const isRamp = remark.swatch?.kind === "ramp";
    const swatch = isRamp ? RAMP_WIDTH : SWATCH_WIDTH;
    const swatchRoom = remark.swatch ? swatch + 5 : 0;
    const weight = remark.strong ? 600 : 400;
    const fullWidth = swatchRoom + widthOf(remark.text, WORDS, weight);
    if (x > MARGIN && x + fullWidth > width - MARGIN) [x, y] = [MARGIN, y + LINE];
    const fill = colours[remark.tone ?? "muted"];
    if (remark.swatch) marks.push(...swatchMarks(remark.swatch, x, y - 4, swatch));
    // Its white has an edge on white, as on pages.
    const edge = [Math.round(x) + 0.5, y - 8.5, swatch - 1, 9];
    if (isRamp) marks.push(rects(edge, { stroke: colours.zero, width: 1 }));
    const lines = wrapped(remark.text, width - MARGIN - x - swatchRoom, WORDS, weight);
    lines.forEach((text, k) => {
      if (k > 0) y += LINE;
      marks.push(words(x + swatchRoom, y, text, fill, { weight }));
    });
    if (lines.length > 1 || remark.alone) [x, y] = [MARGIN, y + LINE];
    else x += fullWidth + REMARK_GAP;
  }
  const height = scene.caption.length === 0 ? 26 : x > MARGIN ? y + 9 : y - LINE + 9;
  return { marks, height };
}

/** A key to lines and colours, in one line; entries that have no room in it are left out. */
export function keyMarks(key: readonly Remark[], { x, y }: Point, room: number, colours: Colours) {
  let next = x;
  return key.flatMap(({ text, swatch }) => {
    const [left, end] = [next, next + SWATCH_WIDTH + 5 + widthOf(text, WORDS)];
    if (!swatch || end > x + room) return [];
    next = end + KEY_GAP;
    const name = words(left + SWATCH_WIDTH + 5, y, text, colours.muted);
    return [...swatchMarks(swatch, left, y - 4, SWATCH_WIDTH), name];
  });
}

/** The swatch before words, which shows what they name. */
function swatchMarks({ kind, colours }: Swatch, x: number, y: number, width: number): Mark[] {
  const [colour] = colours;
  switch (kind) {
    case "line":
    case "thick":
    case "dash": {
      const dash = kind === "dash" ? [3, 2.5] : undefined;
      return [line([x, y, x + width, y], colour, { width: kind === "thick" ? 3 : 1.5, dash })];
    }
    case "dot":
      return [dot(x + width / 2, y, 3.5, { fill: colour })];
    case "ring":
      return [dot(x + width / 2, y, 3, { stroke: colour, width: 2 })];
    case "fill":
      return [rects([x + width - 10, y - 5, 10, 10], { fill: colour })];
    case "spark": // on pages only: a picture has the curves themselves
      return [];
    case "ramp": {
      // From whole pixel to whole pixel: no seam between neighbours, also where one shines through.
      const at = (k: number) => Math.round(x + (k * width) / colours.length);
      const boxes = colours.flatMap((_, k) => [at(k), y - 5, at(k + 1) - at(k), 10]);
      return [rects(boxes, { fills: colours })];
    }
  }
}
