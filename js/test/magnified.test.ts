import { expect, it } from "vitest";
import { phiAt } from "../src/phi/interpolate.ts";
import type { LinesMark, TextMark } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { HEIGHT, magnified, WIDTH } from "../src/views/kernel_grid/overview.ts";
import { pictureMaker } from "../src/views/kernel_grid/picture.ts";
import { type Settings, settingsOf } from "../src/views/kernel_grid/settings.ts";
import { readFrame, readLayout } from "../src/wire/protocol.ts";
import { makeRun, RUNS } from "./made_up_run.ts";

const theme = themeOf("light");
const { colours } = theme;

function drawnOf(name: string, f: number, settings: Partial<Settings> = {}) {
  const run = makeRun(RUNS[name]);
  const layout = readLayout(run.layout);
  const layer = layout.layers[0];
  const at = (step: number) => readFrame({ layout: 1, step, bytes: run.frame(step) }, layout);
  const plain = settingsOf((() => undefined) as never);
  const picture = pictureMaker()({
    frame: at(400),
    layer,
    initial: at(0),
    settings: { ...plain, ...settings },
    width: 700,
  });
  const marks = magnified(picture, f, 0.5, theme)?.marks ?? null;
  const texts = (marks ?? []).filter((mark): mark is TextMark => mark.kind === "text");
  const lines = (marks ?? []).filter((mark): mark is LinesMark => mark.kind === "lines");
  return { picture, layer, marks, texts, lines };
}

it("what is pointed at is a plot with ticks, titles, the start and a dot on the curve", () => {
  const { picture, layer, marks, texts, lines } = drawnOf("article", 4);
  const words = texts.map(({ text }) => text);
  expect(words).toContain("x");
  expect(words).toContain("φ(x)");
  for (const tick of ["−1.0", "−0.5", "0.0", "0.5", "1.0"]) expect(words).toContain(tick);
  expect(lines.some(({ stroke, dash }) => stroke === colours.ghost && dash)).toBe(true);

  // The axes as printed are the axes as drawn: three points of the curve read off them.
  const printed = (upright: boolean) =>
    texts
      .filter(({ text, anchor }) => /\d/.test(text) && (anchor === "end") === upright)
      .map(({ text, x, y }) => [upright ? y : x, Number(text.replace("−", "-"))]);
  const reader = (ticks: number[][]) => {
    const [[p, a], [q, b]] = [ticks[0], ticks[ticks.length - 1]];
    return (place: number) => a + ((b - a) * (place - p)) / (q - p);
  };
  const [readX, readY] = [reader(printed(false)), reader(printed(true))];
  const curve = lines.find(({ stroke }) => stroke === colours.ink) as LinesMark;
  expect(curve.ends[0]).toBeGreaterThan(20);
  for (const p of [0, 15, curve.ends[0] - 1]) {
    const x = readX(curve.xy[2 * p]);
    const expected = phiAt(layer, 4, picture.frame, Math.max(-1, Math.min(1, x))).phi;
    expect(readY(curve.xy[2 * p + 1])).toBeCloseTo(expected, 2);
  }
  const dot = marks?.find((mark) => mark.kind === "dots");
  expect(readX(dot?.kind === "dots" ? dot.xy[0] : 0)).toBeCloseTo(0.5, 2);
  for (const { xy } of lines) {
    for (let k = 0; k < xy.length; k += 2) {
      expect(xy[k]).toBeGreaterThanOrEqual(0);
      expect(xy[k]).toBeLessThanOrEqual(WIDTH);
      expect(xy[k + 1]).toBeGreaterThanOrEqual(0);
      expect(xy[k + 1]).toBeLessThanOrEqual(HEIGHT);
    }
  }
});

it("a change is called so, and what has no curve has no plot", () => {
  const { texts } = drawnOf("article", 4, { mode: "change" });
  expect(texts.map(({ text }) => text)).toContain("change of φ");
  expect(drawnOf("article", 4, { mode: "pattern" }).marks).toBeNull();
  expect(drawnOf("broken", 3).marks).toBeNull();
});
