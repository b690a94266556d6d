/** The colours of all views, by what they stand for; the style sheets' custom properties `--kw-…` are set from here. */

import type { ThemeName } from "../phi/palette.ts";

/** Each in the light theme, and in the dark one. */
const COLOURS = {
  surface: ["#ffffff", "#16181c"],
  ink: ["#1b1f24", "#e6e9ec"],
  muted: ["#656d76", "#9ba3ac"],
  line: ["#d5d9de", "#3a4048"],
  hover: ["#f0f2f4", "#24282e"],
  cell: ["#f5f6f8", "#2a2f36"],
  outside: ["#e9ecef", "#363c45"],
  plot: ["#fbfbfc", "#1b1e23"],
  beyond: ["#eef0f2", "#262b31"],
  zero: ["#d3d8de", "#424953"],
  grid: ["#e4e7eb", "#2d333a"],
  ghost: ["#9aa1a9", "#8b939d"],
  /** Of an ensemble: where the functions of all networks are, and their median. */
  range: ["#2b829640", "#63bdd14d"],
  median: ["#2b8296", "#63bdd1"],
  accent: ["#6f42c1", "#b794f6"],
  band: ["#6f42c126", "#b794f633"],
  live: ["#1a7f37", "#4fbf67"],
  warn: ["#c4320a", "#ff8a66"],
  base: ["#7d7f00", "#c3c53c"],
  spline: ["#a3268f", "#e58ad6"],
  rise: ["#5bbf9fcc", "#3fd0a0cc"],
  fall: ["#cc79a7cc", "#ea7dbbcc"],
  more: ["#c46a1c", "#e8a35c"],
  less: ["#2f74b5", "#6aaef0"],
  density: ["#8a939c", "#6f7983"],
  seen: ["#007958", "#4fc9a0"],
  "seen-box": ["#a0d8c5", "#205c48"],
  box: ["#c5cbd2", "#727c88"],
  dot: ["#1b1f2499", "#e6e9eca6"],
  /** The outline of an image, over a map. */
  outline: ["#1b1f2466", "#e6e9ec99"],
  row: ["#1b1f2408", "#e6e9ec0a"],
  chosen: ["#6f42c11f", "#b794f633"],
  // For what was logged, and from 2 on for models: no colour that stands for a sign or a change.
  "curve-0": ["#1098ad", "#7fe0f0"],
  "curve-1": ["#986c3a", "#c08a5e"],
  "curve-2": ["#d69e00", "#f5e6b8"],
  "curve-3": ["#454f68", "#93a4bd"],
  "curve-4": ["#6a8d03", "#a8d977"],
  "curve-5": ["#994059", "#d9828b"],
  "curve-6": ["#a3abb4", "#6d757e"],
};

export type ColourName = keyof typeof COLOURS;
export type Colours = Readonly<Record<ColourName, string>>;

export interface Theme {
  name: ThemeName;
  colours: Colours;
}

const coloursOf = (theme: number) =>
  Object.fromEntries(Object.entries(COLOURS).map(([name, both]) => [name, both[theme]])) as Colours;

const THEMES: Record<ThemeName, Theme> = {
  light: { name: "light", colours: coloursOf(0) },
  dark: { name: "dark", colours: coloursOf(1) },
};

export function themeOf(name: ThemeName): Theme {
  return THEMES[name];
}
