// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { svgOf } from "../src/scene/svg.ts";
import { fileName } from "../src/shell/saving.ts";

it("writes any text so that XML can be read", () => {
  const odd = `<b>&"'\u0000\u0007\ud800 φ 𝛗`;
  const mark = { kind: "text", x: 4, y: 20, text: odd, fill: "#010203", size: 12 } as const;
  const paper = { width: 100, height: 50, ground: "#ffffff", title: odd, words: odd };
  const read = new DOMParser().parseFromString(svgOf([mark], paper), "text/xml");
  for (const part of ["title", "desc", "text"]) {
    expect(read.querySelector(part)?.textContent).toBe("<b>&\"'\ufffd\ufffd\ufffd φ 𝛗");
  }
});

it("names a file so that every system takes it", () => {
  expect(fileName("kernel-grid a/b\\c:* step 3")).toBe("kernel-grid-a-b-c-step-3");
  expect(fileName("../..")).toBe("kan-widgets");
  expect(fileName("größe φ")).toBe("größe-φ");
});
