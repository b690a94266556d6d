/** A soft round brush on a small image. No DOM. */

/** Half the width of a stroke for an image this large: about that of MNIST's digits. */
export function brushRadius(width: number, height: number): number {
  return Math.max(0.7, (1.15 * Math.min(width, height)) / 28);
}

/**
 * Draws from one point to another, in pixels with the middle of the first at (0.5, 0.5). Ink only adds: a pixel goes
 * towards `target` as far as the stroke covers it, and never back.
 */
export function stroke(
  image: { width: number; height: number; data: Float32Array },
  from: readonly [number, number],
  to: readonly [number, number],
  radius: number,
  ground: number,
  target: number,
): void {
  const { width, height, data } = image;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const square = dx * dx + dy * dy;
  const reach = radius + 0.5;
  const first = (a: number, b: number) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (a: number, b: number, size: number) =>
    Math.min(size - 1, Math.ceil(Math.max(a, b) + reach));
  for (let row = first(from[1], to[1]); row <= last(from[1], to[1], height); row++) {
    for (let column = first(from[0], to[0]); column <= last(from[0], to[0], width); column++) {
      const [x, y] = [column + 0.5 - from[0], row + 0.5 - from[1]];
      const along = square > 0 ? Math.max(0, Math.min(1, (x * dx + y * dy) / square)) : 0;
      const distance = Math.hypot(x - along * dx, y - along * dy);
      const cover = Math.max(0, Math.min(1, reach - distance));
      const value = ground + (target - ground) * cover;
      const at = row * width + column;
      if (target >= ground ? value > data[at] : value < data[at]) data[at] = value;
    }
  }
}
