/** The colours of all views, by what they stand for; the style sheets' custom properties `--kw-…` are set from here. No DOM. */

export type ThemeName = "light" | "dark";

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
  accent: "#0a66c2",
  band: "#0a66c226",
  live: "#1a7f37",
  hold: "#b35900",
  warn: "#c4320a",
  base: "#e69f00",
  spline: "#0072b2",
  rise: "#5bbf9fcc",
  fall: "#cc79a7cc",
  more: "#c46a1c",
  less: "#2f74b5",
  density: "#8a939c",
  seen: "#007958",
  "seen-box": "#a0d8c5",
  box: "#c5cbd2",
  dot: "#1b1f2499",
  /** Of an image, over a map. */
  outline: "#1b1f2466",
  row: "#1b1f2408",
  chosen: "#0a66c21f",
  "curve-0": "#0072b2",
  "curve-1": "#d55e00",
  "curve-2": "#009e73",
  "curve-3": "#cc79a7",
  "curve-4": "#e69f00",
  "curve-5": "#56b4e9",
  "curve-6": "#656d76",
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
  accent: "#5aa9f8",
  band: "#5aa9f833",
  live: "#4fbf67",
  hold: "#f0a04b",
  warn: "#ff8a66",
  spline: "#56b4e9",
  rise: "#2f9e7dcc",
  fall: "#b3608fcc",
  more: "#e8a35c",
  less: "#6aaef0",
  density: "#6f7983",
  seen: "#4fc9a0",
  "seen-box": "#205c48",
  box: "#545c66",
  dot: "#e6e9eca6",
  outline: "#e6e9ec66",
  row: "#e6e9ec0a",
  chosen: "#5aa9f833",
  "curve-0": "#56b4e9",
  "curve-1": "#e69f00",
  "curve-2": "#2fc79b",
  "curve-3": "#e39fc4",
  "curve-4": "#f0e442",
  "curve-5": "#f08a45",
  "curve-6": "#7a828b",
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
