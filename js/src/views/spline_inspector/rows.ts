/** The rows of the legend: what is drawn, each a switch, with weight and value where it is read. */

import { layerTitle, placeText } from "../../phi/entries.ts";
import { formatAlike, formatCount, formatNumber } from "../../phi/format.ts";
import { bandOver } from "../../phi/interpolate.ts";
import type { Colours } from "../../scene/theme.ts";
import type { PlotPicture } from "./picture.ts";
import { overlayAt, type PlotPart, type Settings } from "./settings.ts";
import { type PhiReading, readPhi } from "./terms.ts";

export interface KeyRow {
  key: string;
  label: string;
  title: string;
  /** Of a ramp several. */
  colours: readonly string[];
  look: "line" | "ramp" | "dashes" | "point" | "knot" | "bars";
  on: boolean;
  coefficient: string;
  value: string;
  removable: boolean;
  /** A long label: it takes as many lines as it needs. */
  wraps: boolean;
  /** What it is made of, with the weight of each: told where there is room. */
  parts: readonly { label: string; weight: string }[];
}

const PLAIN = { coefficient: "", value: "", removable: false, wraps: false, parts: [] };

function printed(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : formatNumber(value);
}

export function legendRows(
  picture: PlotPicture,
  settings: Settings,
  reading: PhiReading | null,
  colours: Colours,
): KeyRow[] {
  const { phi, ghost } = picture;
  const { show } = settings;
  const row = (
    key: PlotPart,
    label: string,
    title: string,
    more: Partial<KeyRow> = {},
  ): KeyRow => ({
    ...PLAIN,
    key,
    label,
    title,
    colours: [colours.ink],
    look: "line",
    on: show.has(key),
    ...more,
  });
  const { band } = phi.layer;
  const read = reading && bandOver(phi.layer, phi.f, [reading.x, reading.x]);
  const own = band ? "φ, the most typical" : "φ";
  const label = `${band?.count} networks: median, and range shaded`;
  const look = { colours: [colours.median], wraps: true, value: printed(read?.median.y[0]) };
  const then = ghost && reading ? readPhi(ghost, reading.x)?.phi : null;
  const rows = [
    row("phi", own, "φ, the sum of all terms", { value: printed(reading?.phi) }),
    ...(band ? [row("band", label, label, look)] : []),
    row(
      "ghost",
      `step ${formatCount(picture.ghostStep)}`,
      "φ at the first step, or at the one kept for comparison: see the timeline",
      { look: "dashes", colours: [colours.ghost], value: printed(then) },
    ),
    ...overlayRows(picture, reading),
    ...termRows(picture, reading, colours, row),
    ...pinRows(picture, reading),
  ];
  const about = "a point for each weight: a B's as high as it, any other on the curve of its term";
  const points = settings.editable ? "weights: drag them" : "points: weights";
  rows.push(row("points", points, about, { look: "point", colours: [colours.muted] }));
  if ((phi.layer.bases[phi.table]?.knots ?? phi.layer.knots).length > 0) {
    const title = "where the pieces of the splines meet";
    rows.push(row("knots", "knots", title, { look: "knot", colours: [colours.muted] }));
  }
  const inputs =
    "where the inputs of this function fell: the height of a bar is the square root of its share, so that rare inputs are seen, too";
  rows.push(
    row("density", `how often ${phi.layer.variable} occurs, root scale`, inputs, {
      look: "bars",
      wraps: true,
      colours: [colours.density],
    }),
  );
  // Bars that there are not need no key; what networks of an ensemble were before they were trained is not told.
  const isTold = (key: string, on: boolean) => key !== "density" || !on || picture.density;
  return rows.filter(({ key, on }) => isTold(key, on) && !(band && key === "ghost"));
}

/** Labels of the terms that are no base, from the first to the last. */
export function span({ phi, order }: Pick<PlotPicture, "phi" | "order">): {
  name: string;
  whole: string;
} {
  const labels = phi.layer.labels.filter((_, b) => !phi.layer.isBase[b]);
  const [first, last] = [labels[0] ?? "", labels[labels.length - 1] ?? ""];
  const whole = labels.length > 1 ? `${first}–${last}` : first;
  return { name: order >= 0 ? "splines" : whole, whole };
}

function termRows(
  picture: PlotPicture,
  reading: PhiReading | null,
  colours: Colours,
  row: (key: PlotPart, label: string, title: string, more?: Partial<KeyRow>) => KeyRow,
): KeyRow[] {
  const { layer, coefficients } = picture.phi;
  const parts = layer.labels.map((label, b) => ({ label, b }));
  const bases = parts.filter(({ b }) => layer.isBase[b]);
  const others = parts.filter(({ b }) => !layer.isBase[b]);
  const rows: KeyRow[] = [];
  if (bases.length > 0) {
    const single = bases.length === 1 ? bases[0] : null;
    rows.push(
      row(
        "base",
        single ? `base · ${single.label}` : "base",
        single ? `the base term: ${single.label} with its weight` : "the base term",
        {
          colours: [colours.base],
          coefficient: single ? printed(coefficients[single.b]) : "",
          value: printed(reading?.base),
        },
      ),
    );
  }
  if (others.length === 0) return rows;
  const { name, whole } = span(picture);
  const isOne = others.length === 1;
  const coefficient = isOne ? printed(coefficients[others[0].b]) : "";
  if (bases.length > 0) {
    rows.push(
      row("spline", name, isOne ? `${whole} with its weight` : `the sum of ${whole}`, {
        colours: [colours.spline],
        coefficient,
        wraps: true,
        value: printed(reading?.spline),
      }),
    );
    if (isOne) return rows;
  }
  const weights = Array.from(others, ({ b }) => coefficients[b]);
  const alike = formatAlike(weights, 3);
  const own = others.map(({ label }, k) => ({ label, weight: alike(weights[k]) }));
  // Listed where the points are that they can be moved by.
  const isNamed = picture.handles.length > 0;
  const each = own.map(({ label, weight }) => `${label} ${weight}`).join(", ");
  // Their names stand at their points.
  rows.push(
    row("basis", isOne ? whole : `basis functions ${whole}`, `each with its weight: ${each}`, {
      look: "ramp",
      colours: others.map(({ b }) => picture.colourOf(b)),
      coefficient,
      wraps: true,
      parts: isOne || !isNamed ? [] : own,
    }),
  );
  return rows;
}

function overlayRows({ overlays }: PlotPicture, reading: PhiReading | null): KeyRow[] {
  return overlays.map(({ k, overlay, colour }) => ({
    ...PLAIN,
    key: `overlay:${k}`,
    label: overlay.label,
    title: `${overlay.label}, drawn from ${formatNumber(overlay.x[0])} to ${formatNumber(overlay.x[overlay.x.length - 1])}`,
    colours: [colour],
    look: "dashes",
    on: overlay.shown,
    value: printed(reading && overlayAt(overlay, reading.x)),
    removable: true,
    wraps: true,
  }));
}

function pinRows({ pins }: PlotPicture, reading: PhiReading | null): KeyRow[] {
  return pins.map(({ at, phi, colour }, k) => {
    const label = phi
      ? `${layerTitle(phi.layer)} · ${placeText(phi.layer, at)}`
      : `${at.layer} · gone`;
    return {
      ...PLAIN,
      key: `pin:${k}`,
      label,
      title: `kept: ${label}${phi ? "; click to show it with its terms" : ""}`,
      colours: [colour],
      look: "line",
      on: true,
      value: printed(phi && reading ? readPhi(phi, reading.x)?.phi : null),
      removable: true,
      wraps: true,
    };
  });
}
