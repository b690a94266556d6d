/** Random numbers that a seed alone decides: sfc32, of Chris Doty-Humphrey's PractRand. */

export class Random {
  readonly #state: [number, number, number, number];

  constructor(seed: number) {
    this.#state = [seed | 0, 0x9e3779b9, 0x243f6a88, 1];
    for (let k = 0; k < 15; k++) this.#next();
  }

  #next(): number {
    let [a, b, c, d] = this.#state;
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    this.#state.splice(0, 4, a, b, c, d);
    return t >>> 0;
  }

  /** A number from 0 to just below 1. */
  uniform(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number below another. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** The numbers 0 … count − 1 in random order. */
  order(count: number): Uint32Array {
    const all = Uint32Array.from({ length: count }, (_, k) => k);
    for (let k = count - 1; k > 0; k--) {
      const other = this.below(k + 1);
      [all[k], all[other]] = [all[other], all[k]];
    }
    return all;
  }
}
