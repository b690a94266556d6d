/** Draws what lies over the surface of a pair: contours, the density of the inputs, axes. */

import { number } from "../../phi/format.ts";
import type { Rect } from "../../phi/geometry.ts";
import { colourOf } from "../../phi/palette.ts";
import { contour, type LabelPlace, levelsOf, type Point, placeLabel } from "./contours.ts";
import type { Density, Surface } from "./pair.ts";
import type { Scene } from "./panel.ts";

export function badge(
  context: CanvasRenderingContext2D,
  text: string,
  r: Rect,
  colour: string,
  paper: string,
  left: boolean,
): void {
  const [x, y] = [left ? r.x + 6 : r.x + r.width - 6, r.y + 7];
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = paper;
  context.fillText(text, x, y);
}

export function drawContours(
  context: CanvasRenderingContext2D,
  { look }: Scene,
  surface: Surface,
  levels: readonly number[],
  plot: Rect,
  most: number,
): void {
  const { colours } = look;
  const taken: LabelPlace[] = [];
  context.font = look.font(10);
  context.textAlign = "center";
  context.textBaseline = "middle";
  const points = surface.x.length;
  const step = plot.width / (points - 1);
  const labels: { text: string; place: LabelPlace; halo: string }[] = [];
  for (const level of levels) {
    const lines = contour(surface.values, points, points, level).map((line) =>
      line.map(([x, y]): Point => [plot.x + x * step, plot.y + plot.height - y * step]),
    );
    context.strokeStyle = colours.ink;
    context.lineWidth = level === 0 ? 1.6 : 0.8;
    context.globalAlpha = level === 0 ? 0.9 : 0.55;
    context.lineJoin = "round";
    context.beginPath();
    for (const line of lines) {
      line.forEach(([x, y], k) => {
        if (k === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      });
    }
    context.stroke();
    context.globalAlpha = 1;
    const text = number(level);
    const size = { width: 6 * text.length + 4, height: 11 };
    const at = 3 * colourOf(level, most);
    const [red, green, blue] = look.palette.bytes.subarray(at, at + 3);
    for (const line of lines) {
      const place = placeLabel(line, size, plot, taken);
      if (!place) continue;
      taken.push(place);
      labels.push({ text, place, halo: `rgb(${red} ${green} ${blue})` });
    }
  }
  for (const { text, place, halo } of labels) {
    context.save();
    context.translate(place.x, place.y);
    context.rotate(place.angle);
    // The ground's own colour behind the number breaks the line, as on a map.
    context.lineWidth = 5;
    context.lineJoin = "round";
    context.strokeStyle = halo;
    context.strokeText(text, 0, 0);
    context.fillStyle = readable(halo);
    context.fillText(text, 0, 0);
    context.restore();
  }
}

/** Black or white, whichever stands out more. */
function readable(colour: string): string {
  const [red, green, blue] = colour.match(/\d+/g)?.map(Number) ?? [0, 0, 0];
  return 0.299 * red + 0.587 * green + 0.114 * blue > 125 ? "#111418" : "#f4f6f8";
}

/** One dot per bin, its area by the square root of the share: rare inputs stay visible beside frequent ones. */
export function drawDensity(
  context: CanvasRenderingContext2D,
  { look }: Scene,
  { bins, shares, most }: Density,
  plot: Rect,
): void {
  const { colours } = look;
  const size = plot.width / bins;
  context.fillStyle = colours.ink;
  context.strokeStyle = colours.surface;
  context.lineWidth = 1;
  context.globalAlpha = 0.75;
  for (let row = 0; row < bins; row++) {
    for (let column = 0; column < bins; column++) {
      const share = shares[row * bins + column];
      if (share <= 0) continue;
      const radius = Math.max(0.8, 0.47 * size * Math.sqrt(Math.sqrt(share / most)));
      const [x, y] = [plot.x + (column + 0.5) * size, plot.y + plot.height - (row + 0.5) * size];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      if (radius > 2) context.stroke();
    }
  }
  context.globalAlpha = 1;
}

export function drawAxes(
  context: CanvasRenderingContext2D,
  { layer, look }: Scene,
  plot: Rect,
  xRange: readonly [number, number],
  yRange: readonly [number, number],
  names: readonly string[],
): void {
  const { colours } = look;
  const { x, y, width, height } = plot;
  context.font = look.font(10);
  context.strokeStyle = colours.muted;
  context.fillStyle = colours.muted;
  context.lineWidth = 1;
  const ticks = (range: readonly [number, number]) =>
    levelsOf(range[0], range[1], width < 220 ? 4 : 5);
  context.beginPath();
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of ticks(xRange)) {
    const at = x + (width * (tick - xRange[0])) / (xRange[1] - xRange[0]);
    context.moveTo(at, y + height);
    context.lineTo(at, y + height + 4);
    context.fillText(number(tick), at, y + height + 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks(yRange)) {
    const at = y + height - (height * (tick - yRange[0])) / (yRange[1] - yRange[0]);
    context.moveTo(x, at);
    context.lineTo(x - 4, at);
    context.fillText(number(tick), x - 6, at);
  }
  context.stroke();
  context.fillStyle = colours.ink;
  context.font = look.font(11);
  const v = layer.variable === "x" ? "" : `${layer.variable}, `;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(`x: ${v}${names[0]}`, x + width / 2, y + height + 30);
  context.save();
  context.translate(11, y + height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(`y: ${v}${names[1]}`, 0, 0);
  context.restore();
}
