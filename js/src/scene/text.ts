/** How wide words are in the font of all pictures. */

import { characters, widths400, widths600 } from "./widths.json";

/** The family's name, in CSS, in SVG and in the font's own files. */
export const FAMILY = "kan-widgets";
/** The families for characters that the font lacks. */
export const FALLBACK = `${FAMILY}, system-ui, sans-serif`;
/** Height of the middle of digits over the baseline, as a share of the size. */
export const MIDDLE = 0.36;

const UNKNOWN_WIDTH = 900;
const characterIndex = new Map([...characters].map((character, k) => [character, k]));

/** Pixels from the start to the end of a text. */
export function widthOf(text: string, size: number, weight: 400 | 600 = 400): number {
  const widths = weight === 600 ? widths600 : widths400;
  let sum = 0;
  for (const character of text) sum += widths[characterIndex.get(character) ?? -1] ?? UNKNOWN_WIDTH;
  return (sum * size) / 1000;
}

/** The text, shortened in its middle until it fits; `front` is the share of what is kept that comes before the gap. */
export function fitted(
  text: string,
  room: number,
  size: number,
  weight: 400 | 600 = 400,
  front = 0.5,
): string {
  if (widthOf(text, size, weight) <= room) return text;
  const letters = [...text];
  for (let kept = letters.length - 1; kept > 1; kept--) {
    const head = Math.ceil(kept * front);
    const short = `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (kept - head)).join("")}`;
    if (widthOf(short, size, weight) <= room) return short;
  }
  return "…";
}

/** The first text that fits, or the last, shortened. */
export function fitting(
  texts: readonly string[],
  room: number,
  size: number,
  weight: 400 | 600 = 400,
): string {
  const found = texts.find((text) => widthOf(text, size, weight) <= room);
  return found ?? fitted(texts[texts.length - 1], room, size, weight);
}

/** Places of the gap, as shares of the text; the usual one first. */
const FRONTS = [0.5, 0.3, 0.7, 0.15, 0.85, 0];

/** Bold names shortened until they fit, with the gap where most of them stay different. */
export function fittedApart(names: readonly string[], room: number, size: number): string[] {
  let best: string[] = [];
  let most = -1;
  const wanted = new Set(names).size;
  for (const front of FRONTS) {
    const short = names.map((name) => fitted(name, room, size, 600, front));
    const different = new Set(short).size;
    if (different > most) [best, most] = [short, different];
    if (most === wanted) break;
  }
  return best;
}

/** The text in lines that fit, broken at spaces; a word that is too long is shortened. */
export function wrapped(text: string, room: number, size: number, weight: 400 | 600 = 400) {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (widthOf(longer, size, weight) <= room) line = longer;
    else {
      if (line) lines.push(line);
      line = fitted(word, room, size, weight);
    }
  }
  if (line) lines.push(line);
  return lines;
}
