/** Curves as Python's curve_wire hands them over. */

const bytes = (values: readonly number[]) => new DataView(Float64Array.from(values).buffer);

export function curve(
  panel: string,
  name: string,
  x: readonly number[],
  y: readonly number[],
  { kind = name, thinned = false }: { kind?: string; thinned?: boolean } = {},
) {
  const two = y.map(() => 2);
  const doubled = (of: (value: number) => number) => bytes(y.map((value) => 2 * of(value)));
  const sums = { count: bytes(two), sum: doubled((value) => value), log: doubled(Math.log) };
  return { panel, name, kind, x: bytes(x), y: bytes(y), sums: thinned ? sums : null };
}
