/** The colours of all views, by what they stand for; the style sheets' custom properties `--kw-…` are set from here. */

import type { ThemeName } from "../phi/palette.ts";

const LIGHT = {
  surface: "#ffffff",
  ink: "#1b1f24",
  muted: "#656d76",
  line: "#d5d9de",
  hover: "#f0f2f4",
  cell: "#f5f6f8",
  outside: "#e9ecef",
  plot: "#fbfbfc",
  beyond: "#eef0f2",
  zero: "#d3d8de",
  grid: "#e4e7eb",
  ghost: "#9aa1a9",
  /** Of an ensemble: where the functions of all networks are, and their median. */
  range: "#2b829640",
  median: "#2b8296",
  accent: "#6f42c1",
  band: "#6f42c126",
  live: "#1a7f37",
  warn: "#c4320a",
  base: "#7d7f00",
  spline: "#a3268f",
  rise: "#5bbf9fcc",
  fall: "#cc79a7cc",
  more: "#c46a1c",
  less: "#2f74b5",
  density: "#8a939c",
  seen: "#007958",
  "seen-box": "#a0d8c5",
  box: "#c5cbd2",
  dot: "#1b1f2499",
  /** The outline of an image, over a map. */
  outline: "#1b1f2466",
  row: "#1b1f2408",
  chosen: "#6f42c11f",
  // For what was logged, and from 2 on for models: no colour that stands for a sign or a change.
  "curve-0": "#1098ad",
  "curve-1": "#986c3a",
  "curve-2": "#d69e00",
  "curve-3": "#454f68",
  "curve-4": "#6a8d03",
  "curve-5": "#994059",
  "curve-6": "#a3abb4",
};

export type ColourName = keyof typeof LIGHT;
export type Colours = Readonly<Record<ColourName, string>>;

const DARK: Partial<Record<ColourName, string>> = {
  surface: "#16181c",
  ink: "#e6e9ec",
  muted: "#9ba3ac",
  line: "#3a4048",
  hover: "#24282e",
  cell: "#2a2f36",
  outside: "#363c45",
  plot: "#1b1e23",
  beyond: "#262b31",
  zero: "#424953",
  grid: "#2d333a",
  ghost: "#8b939d",
  range: "#63bdd14d",
  median: "#63bdd1",
  accent: "#b794f6",
  band: "#b794f633",
  live: "#4fbf67",
  warn: "#ff8a66",
  base: "#c3c53c",
  spline: "#e58ad6",
  rise: "#3fd0a0cc",
  fall: "#ea7dbbcc",
  more: "#e8a35c",
  less: "#6aaef0",
  density: "#6f7983",
  seen: "#4fc9a0",
  "seen-box": "#205c48",
  box: "#727c88",
  dot: "#e6e9eca6",
  outline: "#e6e9ec99",
  row: "#e6e9ec0a",
  chosen: "#b794f633",
  "curve-0": "#7fe0f0",
  "curve-1": "#c08a5e",
  "curve-2": "#f5e6b8",
  "curve-3": "#93a4bd",
  "curve-4": "#a8d977",
  "curve-5": "#d9828b",
  "curve-6": "#6d757e",
};

export interface Theme {
  name: ThemeName;
  colours: Colours;
}

const THEMES: Record<ThemeName, Theme> = {
  light: { name: "light", colours: LIGHT },
  dark: { name: "dark", colours: { ...LIGHT, ...DARK } },
};

export function themeOf(name: ThemeName): Theme {
  return THEMES[name];
}
