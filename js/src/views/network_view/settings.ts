/** The view's own traits, as plain data. No DOM. */

export interface Settings {
  /** Links are shown from the strongest on until they have this share of the total. */
  relevance: number;
  /** So many links lead to each unit at most; 0 for all. */
  top: number;
  /** Number of the example; −1 for what was drawn. */
  example: number;
}

export function settingsOf(get: (trait: string) => unknown): Settings {
  const example = Math.round(Number(get("example") ?? 0));
  return {
    relevance: Math.max(0, Math.min(1, Number(get("relevance") ?? 1))),
    top: Math.max(0, Math.round(Number(get("top") ?? 0))),
    example,
  };
}
