/** The numbers of all models in words: a table, and whose are better. */

import { formatCount, formatNumber } from "../../phi/format.ts";
import {
  bestIn,
  bestOf,
  crossingOf,
  DASH,
  type Deciding,
  dataSourcesText,
  decidingIn,
  hintsOf,
  inWords,
  type Model,
  modelsIn,
  verdictOf,
  written,
} from "./verdict.ts";

export interface TableRow {
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

export type ShownModels = ReturnType<typeof shownIn>;

type Get = (trait: string) => unknown;

export const DECIDED =
  "At the last step that all models have reached. On the data that is trained on: the mean over the last 30 steps, since each value is of one batch; on held-out data: as measured last";

export function shownIn(get: Get) {
  const models = modelsIn(get);
  const deciding = decidingIn(get);
  const hints = hintsOf(models);
  const decided = hints.length > 0 ? [] : deciding;
  const { matched = "" } = (get("content") ?? {}) as { matched?: string };
  return {
    /** Why the models cannot be compared as they are; mostly none. */
    hints,
    verdict: hints.length > 0 && deciding.length > 0 ? "" : verdictOf(models, decided),
    decided,
    /** The verdict where the trends end otherwise than the means. */
    crossed: (ends: readonly (number | null)[]) => crossingOf(models, decided[0], ends),
    note: [dataSourcesText(models), matched].filter(Boolean).join(" · "),
    models: models.map(({ name }) => name),
    rows: rowsOf(models, deciding),
  };
}

/** How good, how large and how slow each model is, then the rest, but for what the curves tell; rows in which nothing is known are left out. */
function rowsOf(models: readonly Model[], deciding: readonly Deciding[]): TableRow[] {
  const comparable = hintsOf(models).length === 0;
  const row = (key: string, label: string, meaning: string, values: string[]): TableRow => {
    return { key, label, meaning, values, lead: false, best: [] };
  };
  const decided = deciding.map((one): TableRow => {
    const { quantity, first, step, values } = one;
    const what = inWords(quantity);
    const label =
      first < step
        ? `mean ${what} of steps ${formatCount(first)} to ${formatCount(step)}`
        : `${what} at step ${formatCount(step)}`;
    const best = comparable ? bestIn(one) : [];
    return { ...row(quantity, label, DECIDED, written(quantity, values)), lead: true, best };
  });
  const compared = (one: TableRow, values: (number | null)[]): TableRow => {
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
        "Time that one step of this model takes, without evaluation, pauses and the steps of other models",
        costs.map(perStep),
      ),
      costs,
    ),
    row(
      "steps",
      "steps",
      "Optimizer steps since the model was bound",
      models.map(({ steps, networks }) => (networks ? DASH : formatCount(steps))),
    ),
    row(
      "epochs",
      "epochs",
      "Passes over the training data, the current one counted in part",
      models.map(({ epochs }) => (epochs === null ? DASH : epochs.toFixed(2))),
    ),
  ];
  return rows.filter(({ values }) => values.some((value) => value !== DASH));
}

/** "3.12 ms", "12.3 s". */
export function perStep(seconds: number | null): string {
  if (seconds === null) return DASH;
  return seconds < 1 ? `${formatNumber(1000 * seconds)} ms` : `${formatNumber(seconds)} s`;
}

/** The steps made, as they are written: one word where all models have made as many. */
function stepsOf({ rows }: ShownModels): string[] {
  return [...new Set(rows.find(({ key }) => key === "steps")?.values ?? [])];
}

/** "step 1,200"; "" where the models differ. */
export function momentOf(shown: ShownModels): string {
  const steps = stepsOf(shown);
  return steps.length === 1 ? `step ${steps[0]}` : "";
}

/** What a picture is called: "compare KAN CNN step 60"; several steps where the models differ. */
export function comparisonName(shown: ShownModels): string {
  const steps = stepsOf(shown).map((text) => text.replace(/\D/g, ""));
  return ["compare", ...shown.models, ...(steps.length > 0 ? ["step", ...steps] : [])].join(" ");
}

/** "last accuracy: KAN 0.97, CNN 0.98". */
export function modelsText({ label, values }: TableRow, models: readonly string[]): string {
  return `${label}: ${values.map((value, k) => `${models[k]} ${value}`).join(", ")}`;
}
