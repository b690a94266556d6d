/** Values of an image as greys. */

/** The pixel of a value: black at `low`, white at `high`, a middle grey where it is not finite. */
export function greyPixel(value: number, low: number, high: number): number {
  const share = (value - low) / (high - low);
  return greys[Number.isFinite(share) ? Math.round(255 * Math.max(0, Math.min(1, share))) : 128];
}

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const greys = Uint32Array.from({ length: 256 }, (_, v) =>
  littleEndian ? (255 << 24) | (v << 16) | (v << 8) | v : (v << 24) | (v << 16) | (v << 8) | 255,
);
