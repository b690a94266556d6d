/** Legend's scene: a row for each colour that all views share. No DOM. */

import type { Drawing } from "../../scene/drawing.ts";
import { type Mark, type Swatch, sitesOf } from "../../scene/marks.ts";
import { swatchMarks } from "../../scene/still.ts";
import type { ColourName } from "../../scene/theme.ts";

const ROW = 22;
const ENTRIES: readonly { name: string; kind: Swatch["kind"]; colour: ColourName }[] = [
  { name: "current", kind: "line", colour: "ink" },
  { name: "initial", kind: "dash", colour: "ghost" },
  { name: "base", kind: "line", colour: "base" },
  { name: "spline", kind: "line", colour: "spline" },
  { name: "selection", kind: "ring", colour: "accent" },
];

export function drawing(): Drawing {
  return ({ width, theme: { colours } }) => {
    const rows = ENTRIES.map(({ name, kind, colour }, k): Mark[] => [
      ...swatchMarks({ kind, colours: [colours[colour]] }, 8, ROW * (k + 0.5), 24),
      {
        kind: "text",
        x: 42,
        y: ROW * (k + 0.5),
        text: name,
        fill: colours.ink,
        size: 12,
        middle: true,
      },
    ]);
    const names = ENTRIES.map(({ name }) => name);
    return {
      width,
      height: ROW * rows.length,
      title: "Colours of the views",
      moment: "",
      words: `Colours of the views: ${names.join(", ")}.`,
      about: "legend",
      caption: [],
      cuts: rows.map((_, k) => ROW * (k + 1)),
      sheets: [{ marks: () => rows.flat() }],
      sites: sitesOf(
        names.map((id, k) => ({ id, words: id, box: { x: 0, y: ROW * k, width, height: ROW } })),
      ),
    };
  };
}
