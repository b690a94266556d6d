/** The view's own traits, as plain data. */

import type { Selection } from "../shared/types.ts";

/** What can be drawn, in the order of the legend. */
export const PARTS = [
  "phi",
  "base",
  "spline",
  "basis",
  "ghost",
  "points",
  "knots",
  "density",
] as const;

export type Part = (typeof PARTS)[number];

export interface Evaluation {
  state: "" | "waiting" | "running" | "done";
  before: number | null;
  after: number | null;
}

export interface Settings {
  editable: boolean;
  show: ReadonlySet<Part>;
  /** Labels of basis functions that are switched off. */
  hidden: ReadonlySet<string>;
  stacked: boolean;
  pins: readonly Selection[];
  evaluation: Evaluation;
  notice: string;
}

/** The traits of the Python class, as the model of this view carries them. */
export interface Traits {
  stream: string;
  layer: string;
  editable: boolean;
  show: string[];
  hidden: string[];
  stacked: boolean;
  height: number;
  theme: "auto" | "light" | "dark";
  pins: Selection[];
  evaluation: Partial<Evaluation>;
  notice: string;
  [name: string]: unknown;
}

export const TRAITS = [
  "layer",
  "editable",
  "show",
  "hidden",
  "stacked",
  "height",
  "theme",
  "pins",
  "evaluation",
  "notice",
] as const;

export function settingsOf(get: <K extends keyof Traits>(name: K) => Traits[K]): Settings {
  const list = <T>(value: unknown) => (Array.isArray(value) ? (value as T[]) : []);
  const shown = list<string>(get("show") ?? PARTS);
  const evaluation = get("evaluation") ?? {};
  return {
    editable: get("editable") === true,
    show: new Set(PARTS.filter((part) => shown.includes(part))),
    hidden: new Set(list<string>(get("hidden"))),
    stacked: get("stacked") === true,
    pins: list<Selection>(get("pins")),
    evaluation: {
      state: evaluation.state ?? "",
      before: evaluation.before ?? null,
      after: evaluation.after ?? null,
    },
    notice: String(get("notice") ?? ""),
  };
}

export function samePlace(a: Selection | null, b: Selection | null): boolean {
  if (!a || !b) return a === b;
  return (
    a.layer === b.layer &&
    a.out === b.out &&
    a.in === b.in &&
    a.row === b.row &&
    a.column === b.column
  );
}
