/** The numbers at the end of the network, as bars: probabilities where they are scores of classes. No DOM. */

import { number } from "../../phi/format.ts";
import type { Mark } from "../../scene/marks.ts";
import { widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Flow, softmax } from "./flow.ts";
import { endsInSoftmax, type Graph } from "./graph.ts";
import type { Diagram } from "./marks.ts";

export interface Scores {
  /** What leaves the network. */
  raw: number[];
  /** Where the network has classes. */
  probabilities: number[] | null;
  /** The unit with the largest one. */
  best: number;
  /** The bars beside the last units; `label` is the right class. */
  marks(diagram: Diagram, label: number | null, theme: Theme): Mark[];
}

export function scoresOf(graph: Graph, flow: Flow | null): Scores | null {
  const column = graph.columns[graph.columns.length - 1];
  const end = column.after[column.after.length - 1] ?? column.station;
  const values = flow?.values[end] ?? flow?.values[column.station];
  if (!values || column.map || values.length !== column.units) return null;
  const raw = Array.from(values);
  const probabilities = endsInSoftmax(graph, column) && raw.length > 1 ? fromEnd(raw) : null;
  const shown = probabilities ?? raw;
  const best = shown.reduce((most, value, k) => (value > shown[most] ? k : most), 0);
  return { raw, probabilities, best, marks };

  function marks({ layout }: Diagram, label: number | null, { colours }: Theme): Mark[] {
    const { units, bars } = layout.columns[layout.columns.length - 1];
    if (bars === 0) return [];
    const made: Mark[] = [];
    const least = Math.min(0, ...shown);
    const most = probabilities ? 1 : Math.max(1e-9, ...shown, -least);
    const names = Math.max(...units.map(({ unit }) => widthOf(String(unit), 11, 600))) + 8;
    const texts = 40;
    for (const { unit, x, y, width, height } of units) {
      const left = x + width + names + 4;
      const room = bars - names - texts - 4;
      const zero = least < 0 ? left + room / 2 : left;
      const length = ((least < 0 ? room / 2 : room) * shown[unit]) / most;
      const middle = y + height / 2;
      const tall = Math.min(12, height);
      const isBest = unit === best && raw.length > 1;
      const fill = isBest ? colours.accent : colours.ghost;
      const from = Math.min(zero, zero + length);
      const boxes = [from, middle - tall / 2, Math.max(1, Math.abs(length)), tall];
      const right = unit === label;
      const text = { kind: "text", y: middle, size: 11, middle: true } as const;
      const weight = isBest || right ? 600 : 400;
      const name = right ? `${unit} ✓` : String(unit);
      made.push({ ...text, x: x + width + 5, text: name, weight, fill: right ? colours.live : colours.ink });
      made.push({ kind: "rects", boxes, fill, radius: 2 });
      const said = probabilities ? percent(shown[unit]) : number(shown[unit]);
      const at = Math.max(zero, zero + length) + 4;
      made.push({ ...text, x: at, text: said, weight: isBest ? 600 : 400, fill: colours.muted });
    }
    return made;
  }
}

/** Of log-probabilities and of scores alike; what are probabilities already stay as they are. */
function fromEnd(raw: number[]): number[] {
  const sum = raw.reduce((total, value) => total + value, 0);
  const done = raw.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
  return done ? raw : softmax(raw);
}

export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "<0.1 %";
  if (share < 1 && share > 0.999) return ">99.9 %";
  return `${number(Number((100 * share).toPrecision(3)))} %`;
}

/** Cross-entropy of one example, in nats. */
export function lossOf({ probabilities }: Scores, label: number | null): number | null {
  if (!probabilities || label === null || !(label in probabilities)) return null;
  return -Math.log(probabilities[label]);
}
