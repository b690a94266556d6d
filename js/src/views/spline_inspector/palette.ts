/** Colours of the basis functions, in order, of pinned functions and of curves laid over. No DOM. */

import type { ThemeName } from "../../scene/theme.ts";

/** Some stops of viridis, which rises evenly in lightness and holds for every kind of colour vision. */
const STOPS = [
  [72, 21, 104],
  [69, 55, 129],
  [51, 99, 141],
  [38, 130, 142],
  [31, 158, 137],
  [74, 193, 109],
  [149, 216, 64],
  [220, 227, 25],
];

/** On a light page the palest end is left out, on a dark one the darkest. */
const PART = { light: [0, 0.78], dark: [0.3, 1] } as const;

/** Okabe and Ito's colours that nothing else here has. */
const PINS = {
  light: ["#cc79a7", "#009e73", "#d55e00", "#56b4e9", "#5a4600", "#7a5195"],
  dark: ["#e39fc4", "#2fc79b", "#f08a45", "#8fd0f7", "#f0e442", "#b48ad6"],
};

/** Drawn dashed over φ, so they may be pins' colours too. */
const OVERLAYS = {
  light: ["#d55e00", "#009e73", "#cc79a7"],
  dark: ["#f08a45", "#2fc79b", "#e39fc4"],
};

/** How far basis functions go to grey, and from there to the page: what they make up is in full colours. */
const GREY = 0.5;
const PALE = { light: { to: 255, share: 0.2 }, dark: { to: 24, share: 0.1 } } as const;

function muted(colour: readonly number[], theme: ThemeName): number[] {
  const [red, green, blue] = colour;
  const grey = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const { to, share } = PALE[theme];
  return colour.map((part) => {
    const own = part + GREY * (grey - part);
    return Math.round(own + share * (to - own));
  });
}

/** One colour for each of `count` basis functions, rising with their number. */
export function basisColours(count: number, theme: ThemeName): string[] {
  const [first, last] = PART[theme];
  return Array.from({ length: count }, (_, k) => {
    const share = count > 1 ? k / (count - 1) : 0.5;
    const at = (first + share * (last - first)) * (STOPS.length - 1);
    const low = Math.min(STOPS.length - 2, Math.floor(at));
    const mixed = STOPS[low].map((from, c) => from + (at - low) * (STOPS[low + 1][c] - from));
    return `rgb(${muted(mixed, theme).join(", ")})`;
  });
}

export function overlayColour(number: number, theme: ThemeName): string {
  return OVERLAYS[theme][number % OVERLAYS[theme].length];
}

export function pinColour(number: number, theme: ThemeName): string {
  return PINS[theme][number % PINS[theme].length];
}
