/** What Python says of the models, in words (kan_widgets/widgets/compare.py). No DOM. */

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
  /** It is shown only where more is asked for. */
  more: boolean;
}

export interface Layer {
  name: string;
  type: string;
  formula: string;
  parameters: string;
}

/** What a model's parameters are made of. */
export interface Growth {
  layers: Layer[];
}

export interface Shown {
  /** Why the models cannot be compared as they are; mostly none. */
  hints: string[];
  /** Who is ahead, and after how many steps; "" where nobody is. */
  verdict: string;
  /** What the one that is ahead costs, and who has gone on since. */
  costs: string;
  /** What they are trained on. */
  note: string;
  models: string[];
  rows: Row[];
  growth: Growth[];
}

/** What is shown: how parameters grow only where `more` is asked for. */
export function shownIn(get: (trait: string) => unknown): Shown {
  const shown = allIn(get);
  if (get("more") === true) return shown;
  return { ...shown, rows: shown.rows.filter(({ more }) => !more), growth: [] };
}

function allIn(get: (trait: string) => unknown): Shown {
  const {
    hints = [],
    verdict = "",
    costs = "",
    note = "",
    models = [],
    rows = [],
    growth = [],
  } = (get("shown") ?? {}) as Partial<Shown>;
  return { hints, verdict, costs, note, models, rows, growth };
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
