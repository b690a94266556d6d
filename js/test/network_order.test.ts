/** Units of a diagram in the order of those of another network that they correspond to. */

import { describe, expect, it } from "vitest";
import { graphOf } from "../src/views/network_view/graph.ts";
import { ranksOf } from "../src/views/network_view/rails.ts";
import { layer } from "./samples.ts";

const shared = {
  stride: [1, 1] as [number, number],
  padding: [0, 0, 0, 0] as [number, number, number, number],
  dilation: [1, 1] as [number, number],
  paddingMode: "zeros" as const,
  groups: 1,
  shared: true,
};
const orderOf = (ranks: number[]) => [...ranks.keys()].sort((a, b) => ranks[a] - ranks[b]);

describe("an order of units", () => {
  it("is that of the layer which makes them; inputs and outputs keep their own", () => {
    const layers = [
      layer({ name: "a", kind: "linear", shape: [3, 2, 1, 1] }),
      layer({ name: "b", kind: "linear", shape: [2, 3, 1, 1] }),
    ];
    const frameLayout = { layers } as never;
    const ranks = ranksOf(graphOf(null, frameLayout), { a: [2, 0, 1] }).map(orderOf);
    expect(ranks).toEqual([
      [0, 1],
      [2, 0, 1],
      [0, 1],
    ]);
  });

  it("is that of the units before, and of its own kernels within each, where these are shared", () => {
    const column = (name: string | null, units: number, from: number[]) => ({
      ...{ name, units, from },
      layer: name === null ? null : layer({ name, shape: [2, 1, 3, 3], conv: shared }),
    });
    const columns = [
      column(null, 1, []),
      column("a", 2, [0]),
      column(null, 2, [1]),
      column("b", 4, [2]),
      column(null, 8, [3]),
    ] as never;
    const ranks = ranksOf({ columns }, { a: [1, 0], b: [0, 1] }).map(orderOf);
    expect(ranks[2]).toEqual([1, 0]);
    expect(ranks[3]).toEqual([2, 3, 0, 1]);
    expect(ranks[4]).toEqual([4, 5, 6, 7, 0, 1, 2, 3]);
  });
});
