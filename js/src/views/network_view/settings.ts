/** The view's own traits, as plain data. No DOM. */

/** How far the bars of each of several diagrams reach, by its number: they have one scale. */
export interface Compared {
  number: number;
  reaches: Map<number, { most: number; least: number }>;
}

export interface Settings {
  /** Links are shown from the strongest on until they have this share of the total; null for as many as can be told apart. */
  relevance: number | null;
  /** So many links lead to each unit at most; 0 for all. */
  top: number;
  /** Number of the example; −1 for what was drawn. */
  example: number;
  /** Whether the examples to choose from stand below the diagram: of several diagrams below one. */
  picker: boolean;
  /** One of several diagrams, which are looked at for the same, on the same scale: no function is selected. */
  compared: Compared | null;
}

export function settingsOf(get: (trait: string) => unknown): Settings {
  const share = get("relevance");
  const compared = (get("compared") ?? null) as Compared | null;
  const example = Math.round(Number(get("example") ?? 0));
  return {
    relevance: typeof share === "number" ? Math.max(0, Math.min(1, share)) : null,
    top: Math.max(0, Math.round(Number(get("top") ?? 0))),
    example,
    picker: compared === null || compared.number === 0,
    compared,
  };
}
