/** Where a hairline lies so that it covers whole pixels of the screen. No DOM. */

/** The middle of the device pixel that holds `value`. */
export function snapped(value: number, ratio: number): number {
  return (Math.floor(value * ratio) + 0.5) / ratio;
}
