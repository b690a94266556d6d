/** What Python knows of several models (kan_widgets/widgets/numbers/model_numbers.py), and which of them has the better ones. */

import { formatCount, formatNumber, percent } from "../../phi/format.ts";
import { logged } from "../../scene/logged.ts";

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
  "At the last step that all models have reached. On the data that is trained on: the mean over the last 30 steps, since each value is of one batch; the trend that is drawn ends at what is expected of the last step alone; on held-out data: as measured last";

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

/** Times differ from run to run: one is shorter than all others where these are so many times as long. */
const CLEAR = 1.5;

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
  const [least, next = 0] = costs.map((cost) => cost ?? 0).sort((a, b) => a - b);
  const isClear = next > CLEAR * least && least > 0;
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
        "Time that one step of this model takes, without evaluation, pauses and the steps of other models; it differs from run to run",
        costs.map(perStep),
      ),
      isClear ? costs : [],
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

export interface Model {
  name: string;
  steps: number;
  /** How many an ensemble has; else 0. */
  networks?: number;
  epochs: number | null;
  seconds_per_step: number | null;
  parameters: number;
  data_source: string;
  /** The step from which on its loss is no number, or far above its first; null where it is not. */
  diverged?: number | null;
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
  /** Standard errors of these means; null where the spread is not known. */
  errors: (number | null)[];
}

export function modelsIn(get: Get): Model[] {
  const { models = [] } = (get("content") ?? {}) as { models?: Model[] };
  const curves = logged(get("curves"));
  return models.map((model) => {
    const own = curves.filter(({ kind, latest }) => kind === model.name && latest !== null);
    // Of two series of one quantity, the one that was logged first.
    const last = new Map(own.reverse().map(({ panel, latest }) => [panel, latest as number]));
    return { ...model, last };
  });
}

function decidingIn(get: Get): Deciding[] {
  const { deciding = [] } = (get("content") ?? {}) as { deciding?: Deciding[] };
  const read = (all: Deciding["values"]) =>
    all.map((value) => (value === null ? null : Number(value)));
  return deciding.map((one) => ({
    ...one,
    values: read(one.values),
    errors: read(one.errors),
  }));
}

/**
 * Whether the numbers of models, means of values of a batch each, differ by no more than chance: the most and the
 * least of them are within twice the standard error of their difference.
 */
function isLevel({ quantity, values, errors }: Deciding): boolean {
  if (quantity.startsWith("eval_") || errors.includes(null)) return false;
  const means = values.filter((value) => Number.isFinite(value)) as number[];
  if (means.length === 0 || means.length < values.length) return false;
  const ends = [Math.min(...means), Math.max(...means)];
  const [low, high] = ends.map((end) => Number(errors[means.indexOf(end)]));
  return ends[1] - ends[0] <= 2 * Math.hypot(low, high);
}

/** In place of a number that is not there. */
const DASH = "–";

export const inWords = (quantity: string) => quantity.replaceAll("_", " ");
const isAccuracy = (quantity: string) => quantity.endsWith("accuracy");

/** Values of one quantity: accuracies that were logged as shares of 1 are percentages, all with as many decimals. */
function written(quantity: string, values: readonly (number | null)[]): string[] {
  const isShare = (value: number | null) => value === null || (value >= 0 && value <= 1);
  const areShares = isAccuracy(quantity) && values.every(isShare);
  const format = areShares ? percent : alike(values);
  const texts = values.map((value) => (value === null ? DASH : format(value)));
  // "100 %" is exact.
  const whole = (text: string) => text.replace(/^(\d\d?) %$/, "$1.0 %");
  return areShares && texts.some((text) => text.includes(".")) ? texts.map(whole) : texts;
}

/** Numbers of one size have as many decimals: 0.180 beside 0.307. */
function alike(values: readonly (number | null)[]): (value: number) => string {
  const sizes = values.flatMap((value) => (value === null ? [] : Math.abs(value)));
  const texts = sizes.map(formatNumber);
  const areAlike = Math.max(...sizes) < 10 * Math.min(...sizes);
  if (!areAlike || !texts.every((text) => /^[\d.]+$/.test(text))) return formatNumber;
  const decimals = Math.max(...texts.map((text) => text.split(".")[1]?.length ?? 0));
  return (value) => value.toFixed(decimals).replace("-", "−");
}

/** Which models have the most or the least; none where no value is better than another. */
function bestOf(values: readonly (number | null)[], most = false): number[] {
  const known = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (new Set(known).size < 2) return [];
  const best = most ? Math.max(...known) : Math.min(...known);
  return values.flatMap((value, k) => (value === best ? [k] : []));
}

/** Values that are printed alike are equal. */
function bestIn(one: Deciding): number[] {
  const texts = written(one.quantity, one.values);
  const [first] = isEqual(one) ? [] : bestOf(one.values, isAccuracy(one.quantity));
  return first === undefined ? [] : [...texts.keys()].filter((k) => texts[k] === texts[first]);
}

const isEqual = (one: Deciding) =>
  isLevel(one) || new Set(written(one.quantity, one.values)).size === 1;

/** Why models cannot be compared as they are. */
function hintsOf(models: readonly Model[]): string[] {
  const known = new Set(models.map(({ data_source }) => data_source).filter(Boolean));
  return known.size > 1 ? ["The models are trained on different data."] : [];
}

/** What they are trained on, as far as that was said. */
function dataSourcesText(models: readonly Model[]): string {
  const known = models.filter(({ data_source }) => data_source);
  const sources = new Set(known.map(({ data_source }) => data_source));
  if (known.length === models.length && sources.size === 1) return `Trained on: ${[...sources][0]}`;
  return known.map(({ name, data_source }) => `${name} trained on: ${data_source}`).join("; ");
}

/** Those that have made more steps than others; of some that take turns one has made one more. */
function goneOn(models: readonly Model[]): Model[] {
  const least = Math.min(...models.map(({ steps }) => steps));
  return models.filter(({ steps }) => steps > least + 1);
}

/** Who has diverged, and whose numbers are better, or what all had come to where one has, or some have gone on since; "" where that is not known. */
function verdictOf(models: readonly Model[], deciding: readonly Deciding[]): string {
  const lost = models.flatMap(({ name, diverged }) =>
    typeof diverged === "number" ? [`${name} diverged at step ${formatCount(diverged)}.`] : [],
  );
  return [...lost, leadOf(models, deciding, lost.length > 0)].filter(Boolean).join(" ");
}

/** `isLost`: better numbers than of what has diverged say nothing. */
function leadOf(models: readonly Model[], deciding: readonly Deciding[], isLost: boolean): string {
  const [first, ...others] = deciding;
  const isNew = ({ steps, last, networks }: Model) => !networks && steps === 0 && last.size === 0;
  const waiting = models.filter(isNew).map(({ name }) => name);
  if (waiting.length === models.length) return "Not trained yet.";
  const verb = waiting.length > 1 ? "have" : "has";
  const hasGone = goneOn(models).length > 0;
  const wait =
    waiting.length > 0 && hasGone ? `${waiting.join(" and ")} ${verb} not been trained yet.` : "";
  if (!first) return wait;
  // Where all are level in it, what decides between these.
  const tie = isEqual(first) && others.find((one) => bestIn(one).length > 0);
  const names = models.map(({ name }) => name);
  const { step, values, quantity } = first;
  const best = bestIn(first);
  const after = `After ${formatCount(step)} step${step === 1 ? "" : "s"}`;
  const at = hasGone ? `At step ${formatCount(step)}` : after;
  const text = written(quantity, values);
  const measure = trained(quantity);
  const order = [...best, ...names.keys()].filter((k, n, all) => all.indexOf(k) === n);
  const known = order.filter((k) => values[k] !== null).map((k) => `${names[k]} ${text[k]}`);
  const sentence = `${at}: ${measure} ${known.join(", ")}`;
  if (wait) return `${sentence}. ${wait}`;
  if (best.length === 0) {
    if (values.length < 2 || !isEqual(first)) return "";
    const equal = `${measure} ${text[0]} for ${names.length === 2 ? "both" : "all"}`;
    const all = measure.replace("accuracy", "accuracies").replace("loss", "losses");
    const mean = meansOf(first);
    const close = `the ${mean && "mean "}${all}, ${text.join(" and ")}, are too close to call`;
    const areClose = new Set(text).size > 1;
    const alike = areClose ? close : equal;
    if (tie && !isLost) return `${at}, ${leading(tie, names)}; ${alike}.`;
    return `${at}, no model is ahead: ${alike}${areClose ? "" : mean}.`;
  }
  if (isLost || hasGone) return `${sentence}${meansOf(first)}.`;
  return `${at}, ${leading(first, names)}.`;
}

/** In place of a lead in the means: that the trends drawn, which end at `ends`, have crossed since; "" where they have not. */
export function crossingOf(
  models: readonly Model[],
  decided: Deciding,
  ends: readonly (number | null)[],
): string {
  const { quantity, step, values } = decided;
  const names = models.map(({ name }) => name);
  const isKnown = [...values, ...ends].every((value) => Number.isFinite(value ?? Number.NaN));
  const [best, ...others] = bestIn(decided);
  const isLed = best !== undefined && others.length === 0 && goneOn(models).length === 0;
  if (!isKnown || !isLed || models.some(({ diverged }) => typeof diverged === "number")) return "";
  // A line that fits shares of 1 may end above 1.
  const isShare = isAccuracy(quantity) && values.every((value) => Number(value) <= 1);
  const shown = ends.map((end) => (isShare ? Math.min(1, Number(end)) : end));
  const texts = written(quantity, shown);
  const [first] = bestOf(shown, isAccuracy(quantity));
  if (first === undefined || texts[first] === texts[best]) return "";
  const each = [best, first].map((k) => `${names[k]} ${texts[k]}`);
  return `After ${formatCount(step)} steps, no model is clearly ahead: ${leading(decided, names)}, but the trends have crossed: ${each.join(", ")}.`;
}

export const trained = (quantity: string) =>
  /^eval[_ ]/.test(quantity) ? inWords(quantity) : `training ${inWords(quantity)}`;

function meansOf({ first, step }: Deciding): string {
  const over = step - first + 1;
  return over > 1 ? ` (means of the last ${formatCount(over)} steps)` : "";
}

/** The best value against those of the others, with their names where there are more than two. */
function against(one: Deciding, names: readonly string[]): string {
  const best = bestIn(one);
  const text = written(one.quantity, one.values);
  const others = [...names.keys()].filter((k) => one.values[k] !== null && !best.includes(k));
  const said = others.map((k) => text[k] + (names.length > 2 ? ` (${names[k]})` : ""));
  return `${text[best[0]]} against ${said.join(", ")}${meansOf(one)}`;
}

/** What was measured here: whether it holds of other runs, these do not say. */
function leading(one: Deciding, names: readonly string[]): string {
  const best = bestIn(one);
  const has = best.length === 1 ? "has" : "have";
  const how = (isAccuracy(one.quantity) ? "high" : "low") + (names.length > 2 ? "est" : "er");
  const leaders = best.map((k) => names[k]).join(" and ");
  return `${leaders} ${has} the ${how} ${trained(one.quantity)} here, ${against(one, names)}`;
}
