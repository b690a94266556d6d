/** The view's own traits, as plain data. */

/** How far the bars of each of several diagrams reach, by its number: they have one scale. */
export interface Compared {
  number: number;
  reaches: Map<number, { most: number; least: number }>;
}

export type Settings = ReturnType<typeof settingsOf>;

export function settingsOf(get: (trait: string) => unknown) {
  /** One of several diagrams, which are looked at for the same, on the same scale: no function is selected. */
  const compared = (get("compared") ?? null) as Compared | null;
  /** Number of the example; −1 for what was drawn. */
  const example = Math.round(Number(get("example") ?? 0));
  /** Whether the examples to choose from stand below the diagram: of several diagrams below one. */
  const picker = compared === null || compared.number === 0;
  return { example, picker, compared };
}
