/** What computed styles say. */

export function fontIn(style: CSSStyleDeclaration): string {
  return `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
}

/** Whether a colour is seen at all. */
export function isInk(colour: string): boolean {
  return colour !== "transparent" && !/^rgba\(.*, 0\)$/.test(colour);
}

export interface Band {
  ink: string;
  /** Shares of the width. */
  from: number;
  to: number;
}

/** A gradient from left to right as plain bands; none where there is none. */
export function bandsOf(image: string, width: number): Band[] {
  const inside = /^linear-gradient\((?:to right|90deg), (.*)\)$/.exec(image)?.[1];
  if (!inside) return [];
  const stops: { ink: string; at: number | null }[] = [];
  for (const [, ink, places] of inside.matchAll(
    /((?:rgba?|oklch|color)\([^)]*\)|#[0-9a-f]+)([^,]*)/gi,
  )) {
    const found = [...places.matchAll(/([\d.]+)(px|%)/g)].map(
      ([, value, unit]) => Number(value) / (unit === "%" ? 100 : width),
    );
    if (found.length === 0) stops.push({ ink, at: null });
    for (const at of found) stops.push({ ink, at });
  }
  const count = stops.length;
  // Without places the colours are a scale: a band for each.
  if (stops.every(({ at }) => at === null)) {
    return stops.map(({ ink }, k) => ({ ink, from: k / count, to: (k + 1) / count }));
  }
  const at = stops.map((stop) => stop.at ?? 0);
  const bands = stops.map(({ ink }, k) => ({
    ink,
    from: k === 0 ? 0 : at[k],
    to: k === count - 1 ? 1 : at[k + 1],
  }));
  return bands.filter(({ from, to }) => to > from);
}
