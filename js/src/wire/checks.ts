/** Checks of what arrives: that bytes are bytes, and as many as expected. Numbers are little-endian; bytes are always copied out of the message. */

/** Thrown where what arrived cannot be read. The message is for people. */
export class WireError extends Error {
  override name = "WireError";
}

/** Copies bytes into an array of their own. */
export function float32(bytes: unknown, what: string): Float32Array<ArrayBuffer> {
  return new Float32Array(copy(bytes, what));
}

export function uint32(bytes: unknown, what: string): Uint32Array {
  return new Uint32Array(copy(bytes, what));
}

export function uint8(bytes: unknown, what: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytesOf(bytes, what));
}

function copy(bytes: unknown, what: string): ArrayBuffer {
  const view = bytesOf(bytes, what);
  if (view.byteLength % 4 !== 0) {
    throw new WireError(`Got ${view.byteLength} bytes for ${what}; needed: a multiple of 4.`);
  }
  return new Uint8Array(view).buffer;
}

function bytesOf(bytes: unknown, what: string): Uint8Array {
  if (ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new WireError(`Got ${valueWords(bytes)} for ${what}; needed: bytes.`);
}

/** Decodes by the engine's own method where it has one, as Python's engine has. */
export function decodedBase64(text: string): DataView<ArrayBuffer> {
  type Decode = (text: string) => Uint8Array<ArrayBuffer>;
  const { fromBase64 } = Uint8Array as unknown as { fromBase64?: Decode };
  const { buffer, byteOffset, byteLength } =
    fromBase64?.call(Uint8Array, text) ??
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new DataView(buffer, byteOffset, byteLength);
}

export type Path = readonly (string | number)[];

/** Puts bytes at their path in a value. */
export function putBytes(into: unknown, path: Path, bytes: unknown): void {
  // biome-ignore lint/suspicious/noExplicitAny: a path may lead anywhere
  const holder = path.slice(0, -1).reduce((inside: any, key) => inside[key], into as any);
  holder[path[path.length - 1]] = bytes;
}

export function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new WireError(`Got ${valueWords(value)} for ${what}; needed: an object.`);
}

/** The object that a trait holds; null for {} and nothing. */
export function nonEmpty<Wire>(value: unknown, what: string): Wire | null {
  if (value == null) return null;
  const raw = record(value, what);
  return Object.keys(raw).length === 0 ? null : (raw as Wire);
}

export function checkCount(got: number, needed: number, what: string): void {
  if (got !== needed) throw new WireError(`Got ${got} entries in ${what}; needed: ${needed}.`);
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

export function valueWords(value: unknown): string {
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) {
    return String(value);
  }
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
}
