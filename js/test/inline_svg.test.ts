// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { boxShapes, dashesOf } from "../src/shell/box_shapes.ts";
import { outlineOf, svgShapes } from "../src/shell/inline_svg.ts";
import type { Matrix, Shape } from "../src/shell/record.ts";
import { svgOf } from "../src/shell/svg.ts";

const PAPER = { left: 100, top: 50, right: 300, bottom: 250 };

/** How far the translations and scales of an element and of those around it move and stretch. */
function matrixOf(element: Element): Matrix {
  const [, x, y, k] =
    /translate\((\S+) (\S+)\)(?: scale\((\S+)\))?/.exec(element.getAttribute("transform") ?? "") ??
    [];
  const own = [Number(k ?? 1), Number(x ?? 0), Number(y ?? 0)];
  const parent = element.parentElement?.closest("svg *, svg");
  // The page has the outermost at (100, 50).
  const [a, , , , e, f] = parent ? matrixOf(parent) : [1, 0, 0, 1, 100, 50];
  return [a * own[0], 0, 0, a * own[0], a * own[1] + e, a * own[2] + f];
}

/** What a browser measures and happy-dom does not. */
const MEASURED = {
  getScreenCTM(this: Element) {
    const [a, b, c, d, e, f] = matrixOf(this);
    return { a, b, c, d, e, f };
  },
  getBBox(this: Element) {
    const of = (name: string) => Number(this.getAttribute(name));
    return { x: of("x"), y: of("y"), width: of("width"), height: of("height") };
  },
  getNumberOfChars(this: Element) {
    return this.textContent?.length ?? 0;
  },
  // Each letter is six wide.
  getStartPositionOfChar: (k: number) => ({ x: 6 * k, y: 9 }),
  getEndPositionOfChar: (k: number) => ({ x: 6 * k + 6, y: 9 }),
};

function parsed(inside: string): SVGSVGElement {
  document.body.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg">${inside}</svg>`;
  for (const element of document.querySelectorAll("svg, svg *")) Object.assign(element, MEASURED);
  return document.querySelector("svg") as unknown as SVGSVGElement;
}

function shapesIn(inside: string, shift = { x: 0, y: 0 }): Shape[] {
  return svgShapes(parsed(inside), { paper: PAPER, clip: PAPER, opacity: 1 }, shift);
}

const LINE = 'style="fill: none; stroke: rgb(1, 2, 3); stroke-width: 2px"';

it("places a path by all transforms around it, as the path that it is", () => {
  const d = "M0,1C2,3,4,5,6,7A1,1,0,1,1,8,9";
  const [shape, ...more] = shapesIn(
    `<g transform="translate(10 20)"><g transform="translate(1 2) scale(3)"><path d="${d}" ${LINE}/></g></g>`,
  );
  expect(more).toEqual([]);
  expect(shape).toMatchObject({
    d,
    matrix: [3, 0, 0, 3, 11, 22],
    stroke: "rgb(1, 2, 3)",
    width: 2,
  });
});

it("draws where the screen does, which moves a box to whole pixels", () => {
  const [shape] = shapesIn(`<path d="M0 0L1 1" ${LINE}/>`, { x: 0.25, y: -0.5 });
  expect(shape).toMatchObject({ matrix: [1, 0, 0, 1, 0.25, -0.5] });
});

it("knows the outline of each kind of element", () => {
  const svg = parsed(
    '<line x1="1" y1="2" x2="3" y2="4"/><rect x="1" y="2" width="3" height="4"/>' +
      '<rect x="0" y="0" width="9" height="6" rx="2"/><circle cx="5" cy="6" r="2"/>' +
      '<ellipse cx="5" cy="6" rx="2" ry="1"/><polyline points="1,2 3,4 5,0"/>' +
      '<polygon points="1,2 3,4 5,0"/><image href=""/><rect width="0" height="3"/>',
  );
  expect([...svg.children].map(outlineOf)).toEqual([
    "M1 2L3 4",
    "M1 2L4 2L4 6L1 6Z",
    "M2 0L7 0A2 2 0 0 1 9 2L9 4A2 2 0 0 1 7 6L2 6A2 2 0 0 1 0 4L0 2A2 2 0 0 1 2 0Z",
    "M3 6A2 2 0 0 1 7 6A2 2 0 0 1 3 6Z",
    "M3 6A2 1 0 0 1 7 6A2 1 0 0 1 3 6Z",
    "M1,2 3,4 5,0",
    "M1,2 3,4 5,0Z",
    "",
    "",
  ]);
});

it("cuts decimals off without touching what comes before them", () => {
  const svg = parsed(
    '<path d="M124.83999999999999,0.5L1.99999,11.99999A1 1 0 110.99999 1.25e-7"/>',
  );
  expect(outlineOf(svg.children[0])).toBe("M124.839,0.5L1.999,11.999A1 1 0 110.999 1.25e-7");
});

it("draws ground and line of an element as two shapes, each with its own cover", () => {
  const style =
    "fill: rgb(9, 8, 7); fill-opacity: 0.5; stroke: rgb(1, 2, 3); stroke-opacity: 0.2;" +
    "stroke-width: 3px; stroke-dasharray: 10px, 5px; opacity: 0.5";
  const shapes = shapesIn(`<g style="opacity: 0.5"><path d="M0 0L1 1L2 0Z" style="${style}"/></g>`);
  expect(shapes).toMatchObject([
    { fill: "rgb(9, 8, 7)", opacity: 0.125 },
    { stroke: "rgb(1, 2, 3)", width: 3, dash: [10, 5], opacity: 0.05 },
  ]);
});

it("leaves out what is not seen", () => {
  const hidden = ["display: none", "visibility: hidden", "opacity: 0", "fill: none; stroke: none"];
  const paths = hidden.map((style) => `<path d="M0 0L1 1" style="fill: red; ${style}"/>`);
  expect(shapesIn(`${paths.join("")}<defs><path d="M0 0L1 1" style="fill: red"/></defs>`)).toEqual(
    [],
  );
});

it("cuts off what is outside a clip path, in the picture's own pixels", () => {
  const inside =
    '<defs><clipPath id="cut"><rect x="0" y="0" width="20" height="10"/></clipPath></defs>' +
    `<g transform="translate(30 40)" style="clip-path: url(&quot;#cut&quot;)"><path d="M0 0L9 9" ${LINE}/></g>`;
  const [shape] = shapesIn(inside);
  expect(shape.clip).toBe("M30 40L50 40L50 50L30 50Z");
});

it("writes the words of a text where its anchor is, and spans in their own style", () => {
  const style = "fill: rgb(1, 2, 3); font: 12px Inter";
  const shapes = shapesIn(
    `<text transform="translate(7 8)" style="${style}; text-anchor: end">0.25</text>` +
      `<text style="${style}">one<tspan style="fill: rgb(4, 5, 6)">two</tspan></text>` +
      `<text style="${style}"></text>`,
  );
  expect(shapes).toMatchObject([
    { text: "0.25", align: "end", x: 24, y: 9, matrix: [1, 0, 0, 1, 7, 8], fill: "rgb(1, 2, 3)" },
    { text: "one", align: "start", x: 0 },
    { text: "two", fill: "rgb(4, 5, 6)" },
  ]);
});

it("does not turn or scale the clip of what is turned or scaled", () => {
  const common = { kind: "path", d: "M0 0L1 1", stroke: "red", opacity: 1 } as const;
  const paper = { width: 9, height: 9, ground: "white", title: "a view" };
  const clip = "M0 0L5 0L5 5Z";
  const text = svgOf([{ ...common, clip, matrix: [2, 0, 0, 2, 3, 4] }], paper);
  expect(text).toContain(
    '<g clip-path="url(#clip0)"><path d="M0 0L1 1" transform="matrix(2 0 0 2 3 4)"',
  );
  expect(svgOf([{ ...common, clip, matrix: [1, 0, 0, 1, 3, 4] }], paper)).toContain(
    '<path d="M0 0L1 1" transform="translate(3 4)"',
  );
  expect(svgOf([{ ...common, clip }], paper)).toContain('<path d="M0 0L1 1" fill="none"');
});

const NO_EDGE = { width: "0px", style: "none" };

function styled(
  radii: readonly number[],
  edges: readonly { width: string; style: string }[],
): CSSStyleDeclaration {
  const style: Record<string, string> = {
    backgroundColor: "rgba(0, 0, 0, 0)",
    backgroundImage: "none",
    boxShadow: "none",
  };
  ["TopLeft", "TopRight", "BottomRight", "BottomLeft"].forEach((corner, k) => {
    style[`border${corner}Radius`] = `${radii[k]}px`;
  });
  ["Top", "Right", "Bottom", "Left"].forEach((side, k) => {
    style[`border${side}Width`] = edges[k].width;
    style[`border${side}Style`] = edges[k].style;
    style[`border${side}Color`] = "rgb(1, 2, 3)";
  });
  return style as unknown as CSSStyleDeclaration;
}

it("draws a box that is round on one side only, and open on the other, in one line", () => {
  const solid = { width: "2px", style: "solid" };
  const box = { left: 100, top: 50, right: 140, bottom: 70 };
  const style = styled([5, 0, 0, 5], [solid, NO_EDGE, solid, solid]);
  const shapes = boxShapes(box, style, { paper: PAPER, clip: PAPER, opacity: 1 });
  expect(shapes).toMatchObject([
    { d: "M40 19L5 19A4 4 0 0 1 1 15L1 5A4 4 0 0 1 5 1L40 1", stroke: "rgb(1, 2, 3)", width: 2 },
  ]);
});

it("fits whole dashes into a line", () => {
  // Four dashes of 3 and three gaps: as Chromium draws 16 pixels of a 1 pixel border.
  const [dash, gap] = dashesOf(1, 16);
  expect([dash, 4 * dash + 3 * gap]).toEqual([3, 16]);
});
