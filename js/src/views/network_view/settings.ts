/** The view's own traits, as plain data. No DOM. */

export interface Settings {
  /** Links are shown from the strongest on until they have this share of the total; null for as many as can be told apart. */
  relevance: number | null;
  /** So many links lead to each unit at most; 0 for all. */
  top: number;
  /** Number of the example; −1 for what was drawn. */
  example: number;
  /** Whether the examples to choose from stand below the diagram: of several diagrams below one. */
  picker: boolean;
}

export function settingsOf(get: (trait: string) => unknown): Settings {
  const share = get("relevance");
  const example = Math.round(Number(get("example") ?? 0));
  return {
    relevance: typeof share === "number" ? Math.max(0, Math.min(1, share)) : null,
    top: Math.max(0, Math.round(Number(get("top") ?? 0))),
    example,
    picker: get("picker") !== false,
  };
}
