/**
 * Pixels as a PNG in a data address, for SVG. Stored without compression: heat maps are small, and have few colours, of
 * which the file then has a list. No DOM.
 */

import type { Pixels } from "./marks.ts";

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
/** Most bytes of a block that is stored as it is. */
const BLOCK = 65535;

export function pngOf({ width, height, rgba }: Pixels): string {
  const listed = listOf(rgba);
  const bytes = listed?.places ?? rgba;
  const row = (listed ? 1 : 4) * width;
  const raw = new Uint8Array((row + 1) * height);
  for (let y = 0; y < height; y++)
    raw.set(bytes.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);

  const blocks = Math.max(1, Math.ceil(raw.length / BLOCK));
  const data = new Uint8Array(2 + 5 * blocks + raw.length + 4);
  data.set([0x78, 0x01]);
  let at = 2;
  for (let block = 0; block < blocks; block++) {
    const part = raw.subarray(block * BLOCK, (block + 1) * BLOCK);
    const n = part.length;
    data.set([block === blocks - 1 ? 1 : 0, n & 255, n >> 8, ~n & 255, (~n >> 8) & 255], at);
    data.set(part, at + 5);
    at += 5 + n;
  }
  new DataView(data.buffer).setUint32(at, adler(raw));

  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, listed ? 3 : 6, 0, 0, 0], 8);
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    ...(listed ? [chunk("PLTE", listed.colours)] : []),
    ...(listed?.opacities.some((cover) => cover < 255) ? [chunk("tRNS", listed.opacities)] : []),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array(0)),
  ];
  return `data:image/png;base64,${base64(parts)}`;
}

/** The colours of an image, and each pixel's place among them; null where there are more than a byte can number. */
function listOf(rgba: Uint8ClampedArray) {
  const pixels = new Uint32Array(rgba.slice().buffer);
  const known = new Map<number, number>();
  for (const pixel of pixels) {
    if (!known.has(pixel)) known.set(pixel, known.size);
    if (known.size > 256) return null;
  }
  // Red, green, blue and opacity, as they lie in memory.
  const bytes = new Uint8Array(Uint32Array.from(known.keys()).buffer);
  return {
    places: Uint8Array.from(pixels, (pixel) => known.get(pixel) as number),
    colours: bytes.filter((_, k) => k % 4 < 3),
    opacities: bytes.filter((_, k) => k % 4 === 3),
  };
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let k = 0; k < 4; k++) bytes[4 + k] = name.charCodeAt(k);
  bytes.set(data, 8);
  let crc = 0xffffffff;
  for (let k = 4; k < 8 + data.length; k++) crc = CRC[(crc ^ bytes[k]) & 255] ^ (crc >>> 8);
  view.setUint32(8 + data.length, ~crc);
  return bytes;
}

function adler(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

function base64(parts: readonly Uint8Array[]): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  const text: string[] = [];
  for (let k = 0; k < length; k += 3) {
    const word = (bytes[k] << 16) | ((bytes[k + 1] ?? 0) << 8) | (bytes[k + 2] ?? 0);
    text.push(
      digits[word >> 18],
      digits[(word >> 12) & 63],
      k + 1 < length ? digits[(word >> 6) & 63] : "=",
      k + 2 < length ? digits[word & 63] : "=",
    );
  }
  return text.join("");
}
