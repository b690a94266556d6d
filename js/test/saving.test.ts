// @vitest-environment happy-dom
import { expect, it } from "vitest";
import type { Mark } from "../src/scene/marks.ts";
import { svgOf } from "../src/scene/svg.ts";
import { fileName } from "../src/shell/saving.ts";

it("writes any text so that XML can be read", () => {
  const odd = `<b>&"'\u0000\u0007\ud800 φ 𝛗`;
  const mark = { kind: "text", x: 4, y: 20, text: odd, fill: "#010203", size: 12 } as const;
  const paper = { width: 100, height: 50, ground: "#ffffff", title: odd, words: odd };
  const read = new DOMParser().parseFromString(
    svgOf([mark], paper, () => ""),
    "text/xml",
  );
  for (const part of ["title", "desc", "text"]) {
    expect(read.querySelector(part)?.textContent).toBe("<b>&\"'\ufffd\ufffd\ufffd φ 𝛗");
  }
});

it("names a file so that every system takes it", () => {
  expect(fileName("kernel-grid a/b\\c:* step 3")).toBe("kernel-grid-a-b-c-step-3");
  expect(fileName("../..")).toBe("kan-widgets");
  expect(fileName("größe φ")).toBe("größe-φ");
});

it("clips only the marks that reach beyond the box of their group", () => {
  const clip = { x: 0, y: 0, width: 50, height: 20 };
  const line = (x: number) =>
    ({ kind: "lines", xy: [0, 5, x, 5], ends: [2], stroke: "#010203", width: 3 }) as const;
  const moved = { kind: "group", at: [30, 0], marks: [line(15)] } as const;
  const beyond = { kind: "group", at: [40, 0], marks: [line(15)] } as const;
  const paper = { width: 100, height: 50, ground: "#ffffff", title: "", words: "" };
  const svg = (marks: Mark[]) => svgOf([{ kind: "group", clip, marks }], paper, () => "");
  expect(svg([line(50), moved])).not.toContain("clip");
  const cut = svg([line(50), line(51), beyond, moved]);
  expect(cut.match(/<clipPath/g)).toHaveLength(1);
  const read = new DOMParser().parseFromString(cut, "text/xml");
  const inside = [...read.querySelectorAll("[clip-path] path")].map((path) =>
    path.getAttribute("d"),
  );
  expect(inside).toEqual(["M0 5L51 5", "M0 5L15 5"]);
});
