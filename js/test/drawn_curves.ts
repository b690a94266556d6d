/** Curves as Python's LoggedCurves hands them over. */

const bytes = (values: readonly number[]) => new DataView(Float64Array.from(values).buffer);

export function curve(
  panel: string,
  name: string,
  x: readonly number[],
  y: readonly number[],
  {
    kind = name,
    mean = null,
    latest = y[y.length - 1],
    log = false,
  }: { kind?: string; mean?: readonly number[] | null; latest?: number; log?: boolean } = {},
) {
  return {
    panel,
    name,
    kind,
    x: bytes(x),
    y: bytes(y),
    mean: mean && { x: bytes(x), y: bytes(mean) },
    latest: bytes(latest === undefined ? [] : [latest]),
    log,
  };
}
