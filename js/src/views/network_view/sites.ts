/** The places of the diagram that can be pointed at: units, kernels, and every link between them. */

import { type Rect, type Sites, sitesOf } from "../../scene/marks.ts";
import { type Diagram, inDiagram, type Leg } from "./diagram.ts";
import { COLUMN_HEAD } from "./layout.ts";
import { linkAt } from "./links.ts";
import { kernelsOnce } from "./rails.ts";
import { largeKernel } from "./strongest.ts";
import { linkWords, unitWords } from "./words.ts";

export interface Site {
  id: string;
  box: Rect;
  words: string;
}

function boxesOf(diagram: Diagram, legs: readonly Leg[]): Site[] {
  const { parts, room, window } = diagram;
  const sites: Site[] = [];
  const add = (id: string, box: Rect, words: string) => {
    const [x, y] = [box.x - window.x, box.y - window.y];
    const top = Math.max(y, COLUMN_HEAD * 0.6);
    const bottom = Math.min(y + box.height, room.height);
    if (bottom - top < 2 || x + box.width < 0 || x > room.width) return;
    sites.push({ id, box: { ...box, x, y: top, height: bottom - top }, words });
  };
  for (const part of parts) {
    const { number } = part;
    for (const [n, box] of kernelsOnce(part))
      add(`e:${number}:${n}`, box, linkWords(diagram, part, n));
    for (const unit of part.units) {
      const width = unit.width + part.bars;
      add(`u:${number}:${unit.unit}`, { ...unit, width }, unitWords(diagram, part, unit.unit));
    }
    const leg = legs.find(({ column }) => column === number);
    const large = leg && !part.kernels.has(leg.bundle) && largeKernel(diagram, part, leg.bundle);
    if (large) add(`e:${number}:${leg.bundle}`, large.box, linkWords(diagram, part, leg.bundle));
  }
  return sites;
}

/** Between its boxes the diagram answers with the link that runs there. */
export function diagramSites(
  diagram: Diagram,
  legs: readonly Leg[],
  others: readonly Site[],
): Sites {
  const { parts, room, window } = diagram;
  const sites = sitesOf([...boxesOf(diagram, legs), ...others]);
  const linkOf = (id: string) => {
    const [kind, column, n] = id.split(":");
    const part = parts[Number(column)];
    return kind === "e" && part?.bundles[Number(n)] ? { part, n: Number(n) } : null;
  };
  return {
    ...sites,
    at(x, y, view) {
      const id = sites.at(x, y, view);
      if (id || y > room.height || y < COLUMN_HEAD) return id;
      const link = linkAt(diagram, inDiagram(diagram, { x, y }));
      return link ? `e:${link.column}:${link.bundle}` : "";
    },
    box(id) {
      const box = sites.box(id);
      const link = box ? null : linkOf(id);
      const large =
        link && (link.part.kernels.get(link.n) ?? largeKernel(diagram, link.part, link.n)?.box);
      return large ? { ...large, x: large.x - window.x, y: large.y - window.y } : box;
    },
    words(id) {
      const link = linkOf(id);
      return sites.words(id) || (link ? linkWords(diagram, link.part, link.n) : "");
    },
  };
}
