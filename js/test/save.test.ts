// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { bandsOf } from "../src/shell/css.ts";
import { moved, record, type Shape } from "../src/shell/record.ts";
import { fileName } from "../src/shell/save.ts";
import { escaped, fontOf, ink, svgOf } from "../src/shell/svg.ts";

const PAPER = { width: 100, height: 50, ground: "#ffffff", title: "a view" };

function written(text: string): Shape {
  return {
    kind: "text",
    text,
    x: 0,
    y: 0,
    matrix: [1, 0, 0, 1, 4, 20],
    font: "normal 400 12px Inter, sans-serif",
    fill: "rgb(1, 2, 3)",
    align: "start",
    opacity: 1,
    clip: "",
  };
}

it("writes any text so that XML can be read", () => {
  const odd = `<b>&"'\u0000\u0007\ud800 φ 𝛗`;
  const text = svgOf([written(odd)], { ...PAPER, title: odd });
  const read = new DOMParser().parseFromString(text, "text/xml");
  expect(read.querySelector("text")?.textContent).toBe("<b>&\"'\ufffd\ufffd\ufffd φ 𝛗");
  expect(escaped("\ud835\uded7")).toBe("\ud835\uded7");
});

it("writes the share of cover of a colour as an attribute of its own", () => {
  expect(ink("fill", "rgba(1, 2, 3, 0.5)")).toBe(' fill="rgb(1,2,3)" fill-opacity="0.5"');
  expect(ink("stroke", "rgb(1 2 3)")).toBe(' stroke="rgb(1,2,3)"');
  expect(ink("fill", "#abc")).toBe(' fill="#abc"');
});

it("takes a font apart", () => {
  const font = fontOf('italic 600 11.5px "Segoe UI", sans-serif');
  expect(font).toEqual({
    size: 11.5,
    family: '"Segoe UI", sans-serif',
    weight: "600",
    style: "italic",
  });
});

it("stretches and moves a path and its clip", () => {
  const shape: Shape = { kind: "path", d: "M2 4L-6 8Z", opacity: 1, clip: "M0 0L2 2Z", width: 2 };
  const there = moved(shape, 0.5, 0.5, 10, 20);
  expect(there).toMatchObject({ d: "M11 22L7 24Z", clip: "M10 20L11 21Z", width: 1 });
});

it("names a file so that every system takes it", () => {
  expect(fileName("kernel-grid a/b\\c:* step 3")).toBe("kernel-grid-a-b-c-step-3");
  expect(fileName("../..")).toBe("kan-widgets");
  expect(fileName("größe φ")).toBe("größe-φ");
});

it("divides a scale into bands of its colours", () => {
  const image = "linear-gradient(to right, rgb(1, 2, 3), rgb(4, 5, 6))";
  expect(bandsOf(image, 20)).toEqual([
    { ink: "rgb(1, 2, 3)", from: 0, to: 0.5 },
    { ink: "rgb(4, 5, 6)", from: 0.5, to: 1 },
  ]);
  expect(bandsOf("none", 20)).toEqual([]);
});

it("leaves the colours of a sign where its style sheet puts them", () => {
  const [none, ink] = ["rgba(0, 0, 0, 0)", "rgb(1, 2, 3)"];
  for (const middle of [`${ink} 6px 8px`, `${ink} 6px, ${ink} 8px`]) {
    const image = `linear-gradient(90deg, ${none} 6px, ${middle}, ${none} 8px)`;
    expect(bandsOf(image, 16)).toEqual([
      { ink: none, from: 0, to: 0.375 },
      { ink, from: 0.375, to: 0.5 },
      { ink: none, from: 0.5, to: 1 },
    ]);
  }
});

/** A context that draws nothing, with the state that is noted. */
class Blank {
  canvas = document.createElement("canvas");
  fillStyle = "#000000";
  strokeStyle = "#111111";
  lineWidth = 2;
  lineJoin = "round";
  globalAlpha = 0.5;
  calls: string[] = [];
  getLineDash = () => [3, 1];
  getTransform = () => ({ a: 2, b: 0, c: 0, d: 2, e: 10, f: 0 });
}
const METHODS = [
  "beginPath",
  "moveTo",
  "lineTo",
  "stroke",
  "fillRect",
  "clearRect",
  "rect",
  "clip",
];
for (const name of [...METHODS, "save", "restore"]) {
  Object.defineProperty(Blank.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Blank) {
      this.calls.push(name);
    },
  });
}

function drawOn(context: Blank, draw: (context: CanvasRenderingContext2D) => void): Shape[] {
  const found = record({ CanvasRenderingContext2D: Blank } as never, () => draw(context as never));
  return found.get(context.canvas) ?? [];
}

it("notes what is drawn, in pixels of the canvas, and still draws it", () => {
  const context = new Blank();
  const shapes = drawOn(context, (paper) => {
    paper.beginPath();
    paper.moveTo(1, 2);
    paper.lineTo(3, 4);
    paper.stroke();
  });
  const stroke = { stroke: "#111111", width: 4, dash: [6, 2], join: "round", opacity: 0.5 };
  expect(shapes).toEqual([{ kind: "path", d: "M12 4L16 8", clip: "", ...stroke }]);
  expect(context.calls).toEqual(["beginPath", "moveTo", "lineTo", "stroke"]);
});

it("notes nothing of what a canvas no longer shows", () => {
  const shapes = drawOn(new Blank(), (paper) => {
    paper.fillRect(0, 0, 1, 1);
    paper.clearRect(0, 0, 9, 9);
    paper.fillRect(0, 0, 2, 2);
  });
  expect(shapes).toMatchObject([{ d: "M10 0L14 0L14 4L10 4Z", fill: "#000000" }]);
});

it("notes where a clip begins and ends", () => {
  const shapes = drawOn(new Blank(), (paper) => {
    paper.save();
    paper.beginPath();
    paper.rect(0, 0, 1, 1);
    paper.clip();
    paper.fillRect(0, 0, 5, 5);
    paper.restore();
    paper.fillRect(0, 0, 5, 5);
  });
  expect(shapes.map(({ clip }) => clip)).toEqual(["M10 0L12 0L12 2L10 2Z", ""]);
});

it("leaves the methods of contexts as they were, also after an error", () => {
  const before = METHODS.map((name) => (Blank.prototype as never)[name]);
  const fail = () => {
    throw new Error("cannot draw");
  };
  expect(() => drawOn(new Blank(), fail)).toThrow("cannot draw");
  expect(METHODS.map((name) => (Blank.prototype as never)[name])).toEqual(before);
});
