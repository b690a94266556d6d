/** What a reader has chosen in the playground: it stands in the page's address, so that a finding is a link. */

import type { TrainingSettings } from "../training/trainer.ts";

export const PROBLEMS = ["digits", "product", "moons", "spirals", "formula", "table"] as const;
export const NETWORKS = ["kancnn", "article", "dense"] as const;
export const BASES = ["bspline", "rbf", "chebyshev", "fourier"] as const;
export const BASE_TERMS = ["silu", "tanh", "relu", "identity"] as const;

export interface State extends TrainingSettings {
  problem: (typeof PROBLEMS)[number];
  /** The formula of the problem of that name. */
  formula: string;
  /** Only digits take a convolutional one. */
  network: (typeof NETWORKS)[number];
  /** Channels of the convolutions of `kancnn`; hidden units of a dense network. */
  widths: readonly number[];
  /** Intervals of the grid; bumps, the highest degree or frequencies of other bases follow from it. */
  grid: number;
  order: number;
  basis: (typeof BASES)[number];
  base: (typeof BASE_TERMS)[number];
  /** How far the splines are spread at the start: scale_noise of kan_widgets.nn. */
  start: number;
  /** Standard deviation of what is added to the targets, as a share of theirs; of classes, the share that is wrong. */
  noise: number;
  /** Whether a CNN or an MLP of as many parameters trains beside it. */
  twin: boolean;
}

/** Least, most and step of each number; steps of 0 are of any size. */
export const LIMITS = {
  grid: [1, 50, 1],
  order: [1, 5, 1],
  start: [0, 10, 0],
  noise: [0, 1, 0],
  rate: [1e-5, 1, 0],
  batch: [1, 1000, 1],
  epochs: [1, 1000, 1],
  seed: [0, 1e6, 1],
} as const satisfies Partial<Record<keyof State, readonly [number, number, number]>>;

export type NumberName = keyof typeof LIMITS;

/** How many numbers of units a network has, or of channels: each convolution halves its image of 28 pixels. */
const DEPTHS: Record<State["network"], readonly [least: number, most: number]> = {
  ...{ kancnn: [1, 4], article: [0, 0], dense: [0, 6] },
};
const MOST_WIDTH = 64;

const COMMON: Omit<State, "problem" | "network" | "widths" | "grid" | "rate" | "batch" | "epochs"> =
  {
    formula: "exp(sin(pi*x) + y^2)",
    order: 3,
    basis: "bspline",
    base: "silu",
    start: 0.1,
    noise: 0,
    seed: 0,
    twin: false,
  };

/** What a problem begins with. */
export function defaultsOf(problem: State["problem"], network: State["network"]): State {
  if (problem !== "digits") {
    const widths = problem === "product" ? [4, 2] : [4];
    const own = { network: "dense", widths, grid: 5, rate: 0.02, batch: 50, epochs: 60 } as const;
    return { ...COMMON, problem, ...own };
  }
  const learning = { rate: 7e-3, batch: 32, epochs: network === "article" ? 12 : 8 };
  const widths = { kancnn: [8, 16, 16], article: [], dense: [] }[network];
  return { ...COMMON, problem, network, widths, grid: 5, ...learning };
}

/** The state that an address asks for; what it does not say, or says wrongly, is as the problem begins. */
export function stateOf(hash: string): State {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const one = <T extends string>(name: string, known: readonly T[]) =>
    known.find((each) => each === query.get(name)) ?? known[0];
  const problem = one("problem", PROBLEMS);
  const network = problem === "digits" ? one("network", NETWORKS) : "dense";
  const state = defaultsOf(problem, network);
  const isFixed = network === "article";
  if (query.has("basis") && !isFixed) state.basis = one("basis", BASES);
  if (query.has("base") && !isFixed) state.base = one("base", BASE_TERMS);
  if (query.has("twin")) state.twin = query.get("twin") === "1";
  state.formula = query.get("formula") ?? state.formula;
  const widths =
    query.has("widths") && !isFixed ? widthsOf(query.get("widths") ?? "", network) : null;
  if (widths) state.widths = widths;
  for (const name of Object.keys(LIMITS) as NumberName[]) {
    if (isFixed && (name === "grid" || name === "order")) continue;
    const [least, most, step] = LIMITS[name];
    const value = Number(query.get(name) || Number.NaN);
    if (value >= least && value <= most && (step === 0 || Number.isInteger(value)))
      state[name] = value;
  }
  return state;
}

/** The part of an address that asks for a state: no more than differs from what its problem begins with. */
export function hashOf(state: State): string {
  const usual = defaultsOf(state.problem, state.network);
  const query = new URLSearchParams();
  if (state.problem !== PROBLEMS[0]) query.set("problem", state.problem);
  if (state.problem === "digits" && state.network !== NETWORKS[0])
    query.set("network", state.network);
  for (const [name, value] of Object.entries(state)) {
    if (["problem", "network"].includes(name)) continue;
    if (name === "formula" && state.problem !== "formula") continue;
    if (String(value) === String(usual[name as keyof State])) continue;
    query.set(name, typeof value === "boolean" ? String(Number(value)) : String(value));
  }
  return query.size > 0 ? `#${query}` : "";
}

/** "5, 3" as numbers of units, or channels, layer by layer; null where it is no such list. */
export function widthsOf(text: string, network: State["network"]): number[] | null {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  const widths = parts.map(Number);
  const [least, most] = DEPTHS[network];
  const isFit = widths.every((w) => Number.isInteger(w) && w >= 1 && w <= MOST_WIDTH);
  return isFit && widths.length >= least && widths.length <= most ? widths : null;
}

/** What `widthsOf` takes, in words. */
export function widthsExpected(network: State["network"]): string {
  const [least, most] = DEPTHS[network];
  const count = least > 0 ? `${least} to ${most}` : `at most ${most}`;
  return `expected ${count} whole numbers from 1 to ${MOST_WIDTH}, such as 5, 3`;
}
