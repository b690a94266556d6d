import { describe, expect, it } from "vitest";
import {
  chance,
  formatAlike,
  formatCount,
  formatNumber,
  formatRange,
  percent,
  roughPercent,
} from "../src/phi/format.ts";

describe("formatNumber", () => {
  it.each([
    [0, "0"],
    [-0, "0"],
    [0.0031, "0.0031"],
    [0.012345, "0.0123"],
    [1.2e-7, "1.2e−7"],
    [-1.2e-7, "−1.2e−7"],
    [-0.25, "−0.25"],
    [12.5, "12.5"],
    [999.9, "1000"],
    [12345, "12300"],
    [2.5e9, "2.5e9"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "∞"],
    [Number.NEGATIVE_INFINITY, "−∞"],
  ])("writes %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it("never writes 0 for anything else, and stays within 0.5 % of the number", () => {
    for (let k = -45; k <= 38; k++) {
      for (const m of [1, 1.004, 3.3333, 9.996]) {
        const value = m * 10 ** k;
        const text = formatNumber(value);
        expect(text.length).toBeLessThanOrEqual(8);
        expect(Math.abs(Number(text.replace("−", "-")) / value - 1)).toBeLessThan(0.005);
      }
    }
  });
});

it("gives numbers of a column as many decimals, and no more than four digits to one far larger", () => {
  const values = [0.5, -2, 35.123, 1127.3, -46542.13, 3300842, 49319016, 0, Number.NaN];
  const texts = ["0.50", "−2.00", "35.12", "1127", "−46500", "3.3e6", "4.93e7", "0", "NaN"];
  expect(values.map(formatAlike([5, -2]))).toEqual(texts);
});

it("writes a range with its sign", () => {
  expect(formatRange(0.0031)).toBe("±0.0031");
  expect(formatRange(-2)).toBe("±2");
});

it("groups the digits of a count", () => {
  expect(formatCount(12340)).toBe("12,340");
});

it("rounds no share to nothing or to all, and no probability is either", () => {
  const shares = [0, 0.0001, 0.25, 0.9999, 1];
  expect(shares.map(percent)).toEqual(["0 %", "<0.1 %", "25 %", ">99.9 %", "100 %"]);
  expect(shares.map(chance)).toEqual(["<0.1 %", "<0.1 %", "25 %", ">99.9 %", ">99.9 %"]);
});

it("keeps a digit of a share only near 0 and 100 %, and says what is not known", () => {
  const shares = [0.853, 0.0004, 0.9999, 0.04, 0.995, 0, 1, null];
  const texts = ["85 %", "<0.1 %", ">99.9 %", "4 %", "99.5 %", "0 %", "100 %", "–"];
  expect(shares.map(roughPercent)).toEqual(texts);
});
