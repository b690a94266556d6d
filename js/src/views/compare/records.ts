/** What Python knows of the models, as numbers (kan_widgets/widgets/compared.py), and what was logged last. No DOM. */

import { logged } from "../../scene/logged.ts";

export interface Layer {
  name: string;
  type: string;
  /** "625·10·(G + k + 2)", and the same in numbers. */
  symbols: string;
  numbers: string;
  parameters: number;
}

export interface Model {
  name: string;
  steps: number;
  epochs: number | null;
  /** The training time as it is written; "" before there is one. */
  elapsed: string;
  seconds_per_step: number | null;
  parameters: number;
  /** With twice the grid. */
  parameters_doubled: number;
  /** How they grow: "O(N²·G)". */
  order: string;
  data_source: string;
  layers: Layer[];
  /** Parameters outside the layers. */
  others: number;
  /** The value of each quantity that was logged last, as its curve ends. */
  last: ReadonlyMap<string, number>;
}

/** What models are compared by; the first quantity decides, the others where all are equal in it. */
export interface Deciding {
  quantity: string;
  /** Steps that the values are means over; equal where they are none. */
  first: number;
  step: number;
  /** One for each model; null where it was not measured. */
  values: (number | null)[];
}

type Get = (trait: string) => unknown;

export function modelsIn(get: Get): Model[] {
  const { models = [] } = (get("shown") ?? {}) as { models?: Model[] };
  const curves = logged(get("curves"));
  return models.map((model) => {
    const own = curves.filter(({ kind, latest }) => kind === model.name && latest !== null);
    // Of two series of one quantity, the one that was logged first.
    const last = new Map(own.reverse().map(({ panel, latest }) => [panel, latest as number]));
    return { ...model, last };
  });
}

/** All that was measured of any model, in the order of its curves. */
export function quantitiesIn(get: Get): string[] {
  return [...new Set(logged(get("curves")).map(({ panel }) => panel))];
}

export function decidingIn(get: Get): Deciding[] {
  const { deciding = [] } = (get("shown") ?? {}) as { deciding?: Deciding[] };
  return deciding.map((one) => {
    return { ...one, values: one.values.map((value) => (value === null ? null : Number(value))) };
  });
}
