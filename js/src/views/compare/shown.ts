/** The numbers of all models in words: a table, who is ahead, and what the parameters are made of. No DOM. */

import { formatCount, formatNumber } from "../../phi/format.ts";
import {
  bestIn,
  bestOf,
  costsOf,
  decidingIn,
  decisions,
  hintsOf,
  inWords,
  type Model,
  modelsIn,
  NOTHING,
  quantitiesIn,
  sourcesOf,
  verdictOf,
  written,
} from "./verdict.ts";

export interface Row {
  key: string;
  label: string;
  /** What it means; shown when pointed at. */
  meaning: string;
  /** One for each model. */
  values: string[];
  /** One of those that decide: it stands first, and larger. */
  lead: boolean;
  /** Numbers of the models that have the best value; none where no value is better. */
  best: number[];
}

/** One layer, and what its parameters are made of. */
export interface LayerLine {
  name: string;
  type: string;
  formula: string;
  parameters: string;
}

export type Growth = ReturnType<typeof growthOf>;
export type Shown = ReturnType<typeof shownIn>;

type Get = (trait: string) => unknown;

const DECIDED =
  "At the last step that all models have come to. On the data that is trained on: the mean over the last 30 steps, since each value is of one batch; on held-out data: as measured last";
const LATEST =
  "As logged last, at each model's own latest step, not smoothed: of one batch, mostly";

/** What is shown: how parameters grow only where `more` is asked for. */
export function shownIn(get: Get) {
  const models = modelsIn(get);
  const deciding = decidingIn(get);
  const hints = hintsOf(models);
  const decided = hints.length > 0 ? [] : deciding;
  const more = get("more") === true;
  return {
    /** Why the models cannot be compared as they are; mostly none. */
    hints,
    verdict: hints.length > 0 && deciding.length > 0 ? "" : verdictOf(models, decided),
    costs: costsOf(models, decided),
    note: sourcesOf(models),
    models: models.map(({ name }) => name),
    rows: rowsOf(models, get, more),
    growth: more ? models.map(growthOf) : [],
  };
}

/** How good, how large and how slow each model is, then the rest; rows in which nothing is known are left out. */
function rowsOf(models: readonly Model[], get: Get, more: boolean): Row[] {
  const comparable = hintsOf(models).length === 0;
  const row = (key: string, label: string, meaning: string, values: string[]): Row => {
    return { key, label, meaning, values, lead: false, best: [] };
  };
  const decided = decisions(decidingIn(get)).map((one): Row => {
    const { quantity, first, step, values } = one;
    const what = inWords(quantity);
    const label =
      first < step
        ? `mean ${what} of steps ${formatCount(first)} to ${formatCount(step)}`
        : `${what} at step ${formatCount(step)}`;
    const best = comparable ? bestIn(one) : [];
    return { ...row(quantity, label, DECIDED, written(quantity, values)), lead: true, best };
  });
  // What was logged last stands below, where it is another number.
  const latest = quantitiesIn(get).flatMap((quantity) => {
    const values = written(
      quantity,
      models.map(({ last }) => last.get(quantity) ?? null),
    );
    const above = decided.find(({ key }) => key === quantity);
    if (above && above.values.join() === values.join()) return [];
    const key = above ? `last ${quantity}` : quantity;
    return [row(key, `latest ${inWords(quantity)}`, LATEST, values)];
  });
  const compared = (one: Row, values: (number | null)[]): Row => {
    return { ...one, lead: true, best: comparable ? bestOf(values) : [] };
  };
  const sizes = models.map(({ parameters }) => parameters);
  const costs = models.map(({ seconds_per_step }) => seconds_per_step);
  const rows = [
    ...decided,
    compared(
      row("parameters", "parameters", "Trainable parameters", sizes.map(formatCount)),
      sizes,
    ),
    compared(
      row(
        "seconds_per_step",
        "time per step",
        "What a step of this model takes, without evaluation, pauses and the steps of others",
        costs.map(perStep),
      ),
      costs,
    ),
    row(
      "steps",
      "steps",
      "Optimizer steps since the model was bound",
      models.map(({ steps }) => formatCount(steps)),
    ),
    row(
      "epochs",
      "epochs",
      "Passes over the training data, the one going on in part",
      models.map(({ epochs }) => (epochs === null ? NOTHING : epochs.toFixed(2))),
    ),
    row(
      "seconds",
      "training time",
      "By the clock on the wall from the first step to the last, with all between but pauses",
      models.map(({ elapsed }) => elapsed || NOTHING),
    ),
    ...latest,
    ...(more ? grownRows(models, row) : []),
  ];
  return rows.filter(({ values }) => values.some((value) => value !== NOTHING));
}

function grownRows(
  models: readonly Model[],
  row: (key: string, label: string, meaning: string, values: string[]) => Row,
): Row[] {
  return [
    row(
      "parameters_doubled",
      "parameters, grid twice as fine",
      "Trainable parameters, had each KAN layer twice as many grid intervals",
      models.map(({ parameters, parameters_doubled: doubled }) =>
        doubled === parameters ? NOTHING : formatCount(doubled),
      ),
    ),
    row(
      "order",
      "growth with width N, grid G",
      "How the parameters grow with N channels or features and G grid intervals (n basis functions where there is no grid)",
      models.map(({ order }) => order),
    ),
  ];
}

/** "3.12 ms", "12.3 s". */
export function perStep(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  return seconds < 1 ? `${formatNumber(1000 * seconds)} ms` : `${formatNumber(seconds)} s`;
}

function growthOf({ layers, others }: Model) {
  const lines = layers.map(({ name, type, symbols, numbers, parameters }): LayerLine => {
    const formula = symbols === numbers ? symbols : `${symbols} = ${numbers}`;
    return { name, type, formula, parameters: formatCount(parameters) };
  });
  const rest = { name: "others", type: "", formula: "norms, biases and layers not read" };
  return { layers: others ? [...lines, { ...rest, parameters: formatCount(others) }] : lines };
}

/** The steps made, as they are written: one word where all models have made as many. */
function stepsOf({ rows }: Shown): string[] {
  return [...new Set(rows.find(({ key }) => key === "steps")?.values ?? [])];
}

/** "step 1,200"; "" where the models differ. */
export function momentOf(shown: Shown): string {
  const steps = stepsOf(shown);
  return steps.length === 1 ? `step ${steps[0]}` : "";
}

/** What a picture is called: "compare KAN CNN step 60"; several steps where the models differ. */
export function nameOf(shown: Shown): string {
  const steps = stepsOf(shown).map((text) => text.replace(/\D/g, ""));
  return ["compare", ...shown.models, "step", ...steps].join(" ");
}

/** "last accuracy: KAN 0.97, CNN 0.98". */
export function rowWords({ label, values }: Row, models: readonly string[]): string {
  return `${label}: ${values.map((value, k) => `${models[k]} ${value}`).join(", ")}`;
}
