/** NetworkView's scene as a whole: what it answers to pointing, and what it says. */

import { describe, expect, it } from "vitest";
import { functionOf, selectionOf } from "../src/phi/entries.ts";
import { formatAlike } from "../src/phi/format.ts";
import { cardMarks } from "../src/scene/card.ts";
import type { Given, Pointed } from "../src/scene/drawing.ts";
import { NOT_POINTED } from "../src/scene/drawing.ts";
import type { Mark, TextMark } from "../src/scene/marks.ts";
import { widthOf } from "../src/scene/text.ts";
import { themeOf } from "../src/scene/theme.ts";
import { wordsOf } from "../src/shell/mount.ts";
import { sumText } from "../src/views/network_view/close_up.ts";
import { boldness } from "../src/views/network_view/diagram.ts";
import { selectionAt } from "../src/views/network_view/focus.ts";
import { heightAt, linkMarks, wayOf } from "../src/views/network_view/links.ts";
import { drawing, type NetworkScene } from "../src/views/network_view/scene.ts";
import { largeKernel, largeMarks } from "../src/views/network_view/strongest.ts";
import { linkWords } from "../src/views/network_view/words.ts";
import { UNKNOWN } from "../src/wire/standing.ts";
import type {
  Frame,
  LayerLayout,
  Probe,
  Selection,
  Station,
  Store,
  Structure,
} from "../src/wire/types.ts";
import { bandFor, frameOf, layer } from "./samples.ts";

/** A network of linear layers with so many units each. */
function network(sizes: number[]): { layers: LayerLayout[]; structure: Structure } {
  let offset = 0;
  const layers = sizes.slice(1).map((out, k) => {
    const made = layer({
      ...{ name: `l${k}`, kind: "linear", shape: [out, sizes[k], 1, 1], offset },
      conv: null,
    });
    offset += made.count * made.nb;
    return made;
  });
  const stations = sizes.map((size, k): Station => {
    const name = k === 0 ? "input" : `l${k - 1}`;
    const kind = k === 0 ? "input" : "kan";
    const compute = k === 0 ? null : ({ op: "kan" } as never);
    const own = { name, kind, label: name, layer: k === 0 ? null : name } as const;
    return {
      ...own,
      sources: k === 0 ? [] : [k - 1],
      shape: [size],
      compute,
      sums: null,
      beside: {},
    };
  });
  return { layers, structure: { stations, traced: true, note: "" } };
}

interface Run {
  frame: Frame;
  structure: Structure | null;
  probe: Probe | null;
  ghost?: Frame;
  before?: Frame;
  selection?: Selection | null;
  state?: "idle" | "running";
}

/** Draws one frame after another, as a page that is live does. */
function page(traits: Record<string, unknown> = {}, width = 900, room?: number) {
  const draw = drawing();
  const store = {} as Store;
  return (
    { frame, structure, probe, ghost, before, selection, state = "running" }: Run,
    pointed: Pointed = NOT_POINTED,
  ): NetworkScene => {
    Object.assign(store, {
      current: () => frame,
      cursor: () => -1,
      status: () => ({ state: "live", message: "" }),
      structure: () => structure,
      probe: () => probe,
      activations: () => null,
      observed: () => null,
      selection: () => selection ?? null,
      ghost: () => ghost ?? null,
      at: () => before ?? frame,
      initial: () => before ?? frame,
      latest: () => frame,
      alone: () => false,
      standing: () => ({ ...UNKNOWN, state }),
    });
    const theme = themeOf("light");
    const given: Given = {
      ...{ store, get: (trait: string) => traits[trait], width, height: 600 },
      ...{ theme, ratio: 1, pointed, room },
    };
    const scene = draw(given);
    if (typeof scene === "string") throw new Error(scene);
    return scene;
  };
}

const inputs = Float32Array.of(0.5, -0.25, 0.9, -0.7, 0.1, 0.3);

function run(sizes: number[], seed = 3, step = 0): Run {
  const { layers, structure } = network(sizes);
  const probe = { shape: [1, sizes[0]], inputs: inputs.subarray(0, sizes[0]), labels: null };
  return { frame: { ...frameOf(layers, step, seed) }, structure, probe };
}

function paintsIn(marks: readonly Mark[]): Set<string | undefined> {
  const paints = marks.map((mark) => {
    if (mark.kind === "group") return [...paintsIn(mark.marks)];
    return mark.kind === "image" || mark.kind === "tiles"
      ? []
      : [mark.fill, "stroke" in mark ? mark.stroke : undefined];
  });
  return new Set(paints.flat());
}

/** Lines one can see through: links, and not examples on functions. */
const linksIn = (mark: Mark): Mark[] => {
  if (mark.kind === "group") return mark.marks.flatMap(linksIn);
  return mark.kind === "lines" && mark.opacity !== undefined ? [mark] : [];
};

describe("pointing", () => {
  it.each([[[6, 8, 8, 4]], [[2, 3, 1]]])(
    "at any link of %j shows its function with axes, and the example on it",
    (sizes) => {
      const show = page();
      const first = run(sizes);
      const scene = show(first);
      const view = { x: 0, y: 0, width: scene.width, height: scene.height };
      let found = 0;
      for (const part of scene.diagram.parts) {
        for (const n of part.links) {
          const way = wayOf(part, n);
          if (!way) throw new Error("no way");
          // Half way along the link, behind its function if that stands there.
          const stop = way.stops.at(-1);
          const from = stop ? { x: stop.x + stop.width, y: stop.y + stop.height / 2 } : way.from;
          const at = { x: (from.x + way.to.x) / 2, y: (from.y + way.to.y) / 2 };
          const id = scene.sites.at(at.x, at.y, view);
          expect(id).toMatch(/^[eu]:/);
          const answer = show(first, { id: `e:${part.number}:${n}`, at, keyboard: "" });
          const { from: source, to } = part.bundles[n];
          expect(answer.shown?.f).toBe(part.bundles[n].first);
          expect(answer.shown?.name).toMatch(new RegExp(` ${source} to .* ${to}$`));
          expect(Number.isFinite(answer.shown?.value)).toBe(true);
          // A link that adds has nothing of the colour of what subtracts.
          const lines = answer.sheets[3].marks(view).flatMap(linksIn);
          const drawn = paintsIn([...answer.sheets[1].marks(view), ...lines]);
          const { more, less } = themeOf("light").colours;
          const [own, other] = (answer.shown?.value ?? 0) < 0 ? [less, more] : [more, less];
          expect([drawn.has(own), drawn.has(other)]).toEqual([true, false]);
          const said = [...wordsOf(answer), answer.sites.words(`e:${part.number}:${n}`)];
          const value = part.print(answer.shown?.value ?? Number.NaN);
          expect(said.some((word) => word.includes(value))).toBe(true);
          found++;
        }
      }
      expect(found).toBeGreaterThan(8);
    },
  );

  it.each([[[6, 8, 8, 4]], [[2, 3, 1]]])(
    "at any link or circle of %j shows what a click on it selects",
    (sizes) => {
      const show = page();
      const first = run(sizes);
      const { diagram } = show(first);
      const ids = diagram.parts
        .slice(1)
        .flatMap(({ number, links, units }) => [
          ...links.map((n) => `e:${number}:${n}`),
          ...units.map(({ unit }) => `u:${number}:${unit}`),
        ]);
      for (const id of ids) {
        const pointed = { id, at: null, keyboard: "" };
        const seen = show(first, pointed);
        const chosen = selectionAt(seen.diagram, pointed, seen.closeUp)?.selection ?? null;
        expect(functionOf(diagram.parts[Number(id[2])].column.layer as never, chosen)).toBe(
          seen.shown?.f,
        );
      }
      expect(ids.length).toBeGreaterThan(8);
    },
  );

  it("at a circle shows the strongest of the functions that lead to it", () => {
    const show = page();
    const first = run([6, 8, 4]);
    const scene = show(first, { id: "u:1:5", at: null, keyboard: "u:1:5" });
    if (scene.closeUp?.kind !== "unit") throw new Error("no unit");
    const values = scene.closeUp.parts.map(({ value }) => value);
    const sign = Math.sign(values.reduce((sum, value) => sum + value, 0));
    const sizes = values.map((value) => sign * value);
    const strongest = sizes.indexOf(Math.max(...sizes));
    expect(scene.shown?.f).toBe(5 * 6 + strongest);
    expect(scene.shown?.value).toBeCloseTo(scene.closeUp.parts[strongest].value, 6);
  });
});

/** All words that are drawn, groups moved to where they are seen. */
function textsIn(marks: readonly Mark[], dx = 0, dy = 0): TextMark[] {
  return marks.flatMap((mark) => {
    if (mark.kind === "text") return [{ ...mark, x: mark.x + dx, y: mark.y + dy }];
    const [x, y] = mark.kind === "group" ? (mark.at ?? [0, 0]) : [0, 0];
    return mark.kind === "group" ? textsIn(mark.marks, dx + x, dy + y) : [];
  });
}

describe("below the diagram", () => {
  it.each([420, 560, 640, 720, 900, 1200])(
    "no words are cut or lie on others at %i pixels",
    (width) => {
      for (const units of [3, 16, 25, 60]) {
        const scene = page({}, width, 460)(run([6, units, 10]));
        const view = { x: 0, y: 0, width, height: scene.height };
        const texts = scene.sheets
          .flatMap(({ marks }) => textsIn(marks(view)))
          .filter(({ y }) => y > scene.room.height);
        expect(texts.length).toBeGreaterThan(units === 3 ? 5 : 8);
        const boxes = texts.map(({ text, x, y, size, weight, anchor, middle, turn }) => {
          const wide = widthOf(text, size, weight);
          if (turn) return { text, left: x - size, right: x, top: y, base: y + wide };
          const left = x - wide * { start: 0, middle: 0.5, end: 1 }[anchor ?? "start"];
          const base = middle ? y + 0.36 * size : y;
          return { text, left, right: left + wide, top: base - 0.72 * size, base };
        });
        for (const [k, a] of boxes.entries()) {
          expect(a.text).not.toContain("…");
          for (const b of boxes.slice(k + 1)) {
            const isOver = a.left < b.right && b.left < a.right && a.top < b.base && b.top < a.base;
            expect(isOver && [a.text, b.text]).toBe(false);
          }
        }
      }
    },
  );
});

describe("what makes a number, in words", () => {
  it.each([
    [[-0.1457, -0.0972, -0.1869], "−0.15 − 0.10 − 0.19 ≈ −0.43"],
    [[0.1, 0.2], "0.10 + 0.20 = 0.30"],
    [[0.5, -0.5], "0.50 − 0.50 = 0"],
    [[0.5], null],
    [Array(7).fill(0.5), null],
  ])("is a sum that is right as it is printed, of %j", (values, said) => {
    const parts = values.map((value: number, from: number) => ({ from, value }));
    const total = values.reduce((sum: number, value: number) => sum + value, 0);
    expect(sumText({ parts, bias: 0, total }, formatAlike(values))).toBe(said);
  });
});

describe("the function that adds most", () => {
  it.each([
    ["a laptop's dashboard", 938, 445],
    ["a narrow page", 480, 440],
  ])("is large, with axes, its layer, where it leads and its start in %s", (_, width, height) => {
    const here = run([6, 25, 10]);
    const { data } = run([6, 25, 10], 5).frame;
    const show = page({}, width, height);
    const scene = show({
      ...here,
      ghost: { ...here.frame, data },
      frame: { ...here.frame, step: 9 },
    });
    expect(scene.height).toBe(height);
    const axes = scene.sheets[6].marks({ x: 0, y: 0, width, height });
    const frames = axes.flatMap((mark) => (mark.kind === "rects" ? [Array.from(mark.boxes)] : []));
    const [, , wide, tall] = frames.at(-1) as number[];
    expect([wide >= 200, tall >= 120]).toEqual([true, true]);
    const said = textsIn(axes).map(({ text }) => text);
    expect(said[0]).toMatch(/^l1 · .+ to output \d$/);
    expect(said[1]).toMatch(/φ\(.+\) = .+$/);
    // Six pixels are free between brackets, which go 2 below their line, and the topmost digits, which are 7 high.
    const [, { y: under }, ...labels] = textsIn(axes);
    expect(Math.min(...labels.map(({ y }) => y)) - 3.5 - (under + 2)).toBeGreaterThanOrEqual(6);
  });
});

describe("before the first batch", () => {
  it("says that it waits, in no colour of alarms, and shows a function of each layer large", () => {
    const { frame } = run([6, 8, 8, 4]);
    const scene = page()({ frame, structure: null, probe: null });
    const [said] = scene.caption.filter(({ text }) => text.includes("waiting for the first batch"));
    expect(said).toBeDefined();
    expect(scene.caption.filter(({ tone }) => tone === "warn")).toEqual([]);
    expect(scene.legs.map(({ column }) => column)).toEqual([3, 2, 1]);
    // Nothing has been learnt: no path is the strongest, and no line is bold.
    expect(scene.caption.map(({ text }) => text).join()).not.toContain("strongest");
    const view = { x: 0, y: 0, width: scene.width, height: scene.height };
    const lines = [scene.sheets[0], scene.sheets[1]]
      .flatMap(({ marks }) => marks(view))
      .flatMap((mark) => (mark.kind === "group" ? mark.marks : [mark]));
    const bold = lines.filter((mark) => mark.kind === "lines" && (mark.opacity ?? 1) > 0.25);
    expect([lines.length > 0, bold]).toEqual([true, []]);
  });
});

describe("an ensemble", () => {
  it("has links the bolder in the more networks, whatever their strength, and says in how many", () => {
    const counts = [
      [4, 1, 4, 2, 3, 0],
      [4, 2, 1],
    ];
    const alone = page()(run([2, 3, 1]));
    const first = run([2, 3, 1]);
    first.frame.layout.layers.forEach((own, k) => {
      own.band = bandFor(own, 4, counts[k]);
    });
    const scene = page()(first);
    scene.diagram.parts.slice(1).forEach((part, k) => {
      expect(part.bundles.map((_, n) => boldness(part, n) * 4)).toEqual([...counts[k]]);
      const words = part.bundles.map((_, n) => linkWords(scene.diagram, part, n));
      for (const text of words) expect(text).toMatch(/ · furthest apart at x = .* to .*, median /);
      const said = words.map((text) => Number(/ · in (\d) of 4 networks$/.exec(text)?.[1]));
      expect(said).toEqual([...counts[k]]);
    });
    const marks = linkMarks(scene.diagram, themeOf("light"), 1, -1);
    const bold = marks.flatMap((mark) => (mark.kind === "lines" ? [mark.opacity ?? 1] : []));
    // Five counts in the first layer, three in the second: the most first drawn last.
    expect(bold.length).toBe(8);
    expect([...bold.slice(0, 5)].sort((a, b) => a - b)).toEqual(bold.slice(0, 5));
    expect(new Set(bold.slice(0, 5)).size).toBe(5);
    const caption = scene.caption.map(({ text }) => text);
    expect(caption).toContain("links: bolder in more of 4 networks");
    expect(linkWords(alone.diagram, alone.diagram.parts[1], 0)).not.toContain("networks");
  });

  it("says first where the networks are furthest apart, and by how much", () => {
    const first = run([2, 3, 1]);
    first.frame.layout.layers.forEach((own) => {
      own.band = bandFor(own, 4, Array(own.count).fill(4));
      own.band.high.set(own.band.low);
    });
    const { band } = first.frame.layout.layers[1];
    if (!band) throw new Error("no band");
    band.low[2 * band.points] = 0;
    band.high[2 * band.points] = 0.75;
    const { caption } = page()({ ...first, probe: null });
    expect(caption[0]).toMatchObject({
      text: "4 networks: they differ most in layer l1, output 0 · input 2, by up to 0.75",
      strong: true,
    });
    // All of them have every link.
    expect(caption.some(({ text }) => text.startsWith("links"))).toBe(false);
  });

  it("has of a link of several functions the one that most networks have", () => {
    const first = run([2, 3, 1]);
    const last = first.frame.layout.layers[1];
    last.band = bandFor(last, 5, [0, 4, 1]);
    const { parts } = page()(first).diagram;
    const bundles = [{ from: 0, to: 0, first: 0, count: 3 }];
    expect(boldness({ ...parts[2], bundles }, 0)).toBe(0.8);
  });
});

describe("on the card of a training", () => {
  const textsOf = (marks: readonly Mark[]) =>
    marks.flatMap((mark) => (mark.kind === "text" ? [mark.text] : []));

  it.each([0, 1])("are the function that is shown closely, and the outputs, of example %d", (k) => {
    const made = run([3, 5, 4]);
    const probe = { shape: [2, 3], inputs, labels: null };
    const scene = page({ example: k })({ ...made, probe });
    const store = { current: () => made.frame, selection: () => null, ghost: () => null };
    const texts = textsOf(cardMarks(store as unknown as Store, scene, themeOf("light")));
    const { shown, closeUp, diagram } = scene;
    if (!shown || closeUp?.kind !== "unit") throw new Error("no function");
    // The one that adds most toward the largest output.
    const towards = closeUp.parts.map(
      ({ value }) => value * Math.sign(closeUp.total - closeUp.bias),
    );
    expect(closeUp.unit).toBe(diagram.scores?.best);
    expect(shown.value * Math.sign(closeUp.total - closeUp.bias)).toBeCloseTo(Math.max(...towards));
    expect(texts).toContain(shown.name);
    expect(texts.at(-1)).toContain(`= ${diagram.parts[closeUp.column].print(shown.value)}`);
    expect(texts).toContain(formatAlike(diagram.scores?.raw ?? [])(diagram.scores?.raw[k] ?? 0));
  });
});

describe("without an example", () => {
  it("says how to have one once it has trained, and waits for no batch that is over", () => {
    const { frame } = run([6, 8, 8, 4], 3, 50);
    const scene = page()({ frame, structure: null, probe: null });
    const said = scene.caption.map(({ text }) => text).join();
    expect(said).toContain("live.probe(inputs)");
    expect(said).not.toContain("waiting");
  });
});

describe("a training that has left no numbers", () => {
  it("keeps the last picture that has some, says so, and goes on when there are again", () => {
    const show = page();
    const good = run([6, 8, 4], 3, 5);
    const told = (scene: NetworkScene) =>
      scene.caption.filter(({ tone }) => tone === "warn").map(({ text }) => text);
    const data = good.frame.data.map((value, k) => (k === 0 ? Number.NaN : value));
    const lost = show({ ...good, frame: { ...good.frame, data, step: 10 }, before: good.frame });
    expect(lost.diagram.frame).toBe(good.frame);
    expect(wordsOf(lost).join()).not.toContain("NaN");
    expect(told(lost)).toEqual([
      "φ is no longer a number, the last step before is shown: train again with a lower learning rate",
    ]);
    const again = run([6, 8, 4], 4, 15);
    const mended = show({ ...again, before: good.frame });
    expect([mended.diagram.frame, told(mended)]).toEqual([again.frame, []]);
  });
});

describe("numbers of one layer", () => {
  it("have as many decimals, on links, in circles and over bars", () => {
    // No function has room for axes, whose numbers are others.
    const scene = page({}, 600)(run([3, 5, 1]));
    const view = { x: 0, y: 0, width: scene.width, height: scene.height };
    const texts = scene.sheets.slice(1, 6).flatMap(({ marks }) => textsIn(marks(view)));
    const decimals = texts.flatMap(({ text }) => /^−?\d+\.(\d+)$/.exec(text)?.[1].length ?? []);
    expect(decimals.length).toBeGreaterThan(12);
    expect(new Set(decimals)).toEqual(new Set([2]));
  });
});

/** Draws frames of one training that is over, one after another. */
function film(
  sizes: number[],
  height: number,
  dataAt: (step: number) => (value: number) => number,
  diverged?: number,
) {
  const { structure } = network(sizes);
  const { frame } = run(sizes);
  const { layout } = frame;
  const frames = [0, 1, 2, 3].map((step): Frame => {
    return { ...frame, layout, step, data: frame.data.map(dataAt(step)) };
  });
  const input = Float32Array.from({ length: sizes[0] }, (_, k) => 0.9 * Math.sin(3 * k));
  const probe = { shape: [1, sizes[0]], inputs: input, labels: null };
  const draw = drawing();
  return (step: number, cursor = step) => {
    const store = {
      ...{ current: () => frames[step], cursor: () => cursor, at: (k: number) => frames[k] },
      ...{ initial: () => frames[0], latest: () => frames[3], ghost: () => frames[0] },
      ...{ steps: () => [0, 1, 2, 3], status: () => ({ state: "saved", message: "" }) },
      ...{ structure: () => structure, probe: () => probe, activations: () => null },
      ...{ observed: () => null, selection: () => null, alone: () => true },
      standing: () => ({ ...UNKNOWN, diverged }),
    } as unknown as Store;
    const scene = draw({
      ...{ store, get: () => undefined, width: 900, height },
      ...{ theme: themeOf("light"), ratio: 1, pointed: NOT_POINTED },
    });
    if (typeof scene === "string") throw new Error(scene);
    return scene.diagram.parts;
  };
}

describe("a film", () => {
  it("has one scale, whichever of its frames is drawn, and leaves the one at rest as it was", () => {
    const partsAt = film([3, 5, 1], 600, (step) => (value) => [0.1, 0.3, 1, 0.6][step] * value);
    const scalesAt = (step: number, cursor = step) =>
      partsAt(step, cursor).flatMap(({ picture }) => {
        const own = picture?.closer({ first: 0, count: 1 });
        return picture && own ? [picture.scale(), picture.ends(), own.scale(), own.ends()] : [];
      });
    const resting = scalesAt(3, -1);
    const first = scalesAt(0);
    expect(first.length).toBe(8);
    expect(first).not.toEqual(resting);
    for (const step of [1, 2, 3, 0, 2]) expect(scalesAt(step)).toEqual(first);
    expect(scalesAt(3, -1)).toEqual(resting);
  });

  it("is read at each step of a run that diverged, before it and after", () => {
    const sizes = [0.1, 0.3, 40, 3e4];
    const partsAt = film([3, 5, 1], 600, (step) => (value) => sizes[step] * value, 2);
    const scales = [0, 1, 2, 3].map((step) => partsAt(step)[1].picture?.scale() ?? 0);
    expect(scales[0]).toBe(scales[1]);
    const filled = scales.map((scale, step) => sizes[step] / scale);
    expect(Math.min(...filled)).toBeGreaterThan(0.3 * Math.max(...filled));
  });

  it("is drawn at rest as a page that is loaded then draws it, whatever came before", () => {
    const made = run([3, 5, 1]);
    const batch = { ...made, probe: null };
    const sizes = [1, 5, 3];
    const at = (k: number) => {
      const data = made.frame.data.map((value) => sizes[k] * value);
      return { ...batch, frame: { ...made.frame, step: k, data } };
    };
    const scalesOf = ({ diagram: { parts } }: NetworkScene) =>
      parts.flatMap(({ picture }) => (picture ? [picture.scale(), ...picture.ends()] : []));
    const show = page();
    const trained = [0, 1, 2].map((k) => scalesOf(show(at(k))));
    const atRest = { ...at(2), state: "idle" as const };
    expect(trained[2]).not.toEqual(scalesOf(page()(atRest)));
    expect(scalesOf(show(atRest))).toEqual(scalesOf(page()(atRest)));
  });

  it("shows the units that are shown at rest, in their places, but for those on the path", () => {
    const signs = [0, 1, 2, 3].map(
      (step) => (value: number) => value * Math.sin(9e3 * value * step),
    );
    const partsAt = film([60, 5, 1], 240, (step) => signs[step]);
    const inputsAt = (step: number, cursor = step) =>
      partsAt(step, cursor)[0].units.map(({ unit }) => unit);
    const resting = inputsAt(3, -1);
    expect(resting.length).toBeLessThan(60);
    expect(resting).toEqual([...resting].sort((a, b) => a - b));
    let others = 0;
    for (const step of [0, 1, 2, 1]) {
      const shown = inputsAt(step);
      const left = resting.filter((unit, place) => shown[place] !== unit);
      expect(left.length).toBeLessThan(2);
      others += left.length;
    }
    expect(others).toBeGreaterThan(0);
    expect(inputsAt(3)).toEqual(resting);
    expect(inputsAt(3, -1)).toEqual(resting);
  });
});

describe("circles of few units", () => {
  it.each([900, 440])("all have their numbers, of one size in a layer, in %i pixels", (width) => {
    const scene = page({}, width)(run([3, 5, 1]));
    const view = { x: 0, y: 0, width: scene.width, height: scene.height };
    const texts = textsIn(scene.sheets[2].marks(view));
    for (const { units, column } of scene.diagram.parts) {
      const sizes = units.map(({ unit, x, y, width: wide, height }) => {
        const found = texts.find((text) => {
          const isThere = text.x >= x - 20 && text.x <= x + wide + 20;
          return isThere && text.y >= y && text.y <= y + height + 12 && /\d\.\d/.test(text.text);
        });
        expect(found, `${column.name} ${unit}`).toBeDefined();
        return found?.size;
      });
      expect(new Set(sizes).size).toBe(1);
    }
  });
});

describe("a network of one function", () => {
  it.each([900, 480])("is that function with axes, which fills a width of %i", (width) => {
    const scene = page({}, width)(run([1, 1]));
    const view = { x: 0, y: 0, width: scene.width, height: scene.height };
    const [box] = scene.diagram.parts[1].kernels.values();
    expect(box.width).toBeGreaterThan(0.7 * width);
    expect(box.height).toBeGreaterThan(0.75 * scene.room.height);
    const numbers = textsIn(scene.sheets[3].marks(view)).filter(({ text }) =>
      /^−?[\d.]+$/.test(text),
    );
    expect(numbers.length).toBeGreaterThan(6);
    expect(scene.verdict).toContain("output ");
    // It is drawn once: no close-up repeats it below.
    expect(textsIn(scene.sheets[6].marks(view))).toEqual([]);
  });
});

describe("the box of a link", () => {
  it("stands in one place of its gap, whichever it is, and on no unit; the link of the path runs through it", () => {
    const { diagram } = page({}, 900)(run([6, 12, 12, 4]));
    const stands = diagram.parts.slice(1).flatMap((part) => {
      const boxes = part.links.map((n) => largeKernel(diagram, part, n)?.box);
      if (!part.stand) return [];
      expect(new Set(boxes)).toEqual(new Set([part.stand]));
      const { x, y, width, height } = part.stand;
      const before = part.before?.box ?? part.box;
      expect(x).toBeGreaterThan(before.x + before.width);
      expect(x + width).toBeLessThan(part.box.x);
      const way = wayOf(part, part.leg);
      for (const place of [x, x + width])
        expect(way && heightAt(way, place)?.y).toBeCloseTo(y + height / 2, 2);
      return [part.stand];
    });
    expect(stands.length).toBeGreaterThan(0);
  });
});

describe("units of a layer for which there is no room", () => {
  it("are those that add least for the example, so that the others are those of the bars", () => {
    const given = run([40, 4], 5);
    const scene = page(
      { height: 330 },
      900,
    )({
      ...given,
      probe: {
        shape: [1, 40],
        inputs: Float32Array.from({ length: 40 }, (_, k) => Math.sin(3 * k)),
        labels: null,
      },
    });
    const [first] = scene.diagram.parts;
    expect(first.units.length).toBeLessThan(40);
    if (scene.closeUp?.kind !== "unit") throw new Error("no unit");
    const order = [...scene.closeUp.parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const drawn = first.units.map(({ unit }) => unit).sort((a, b) => a - b);
    const top = order.slice(0, drawn.length).map(({ from }) => from);
    expect(drawn).toEqual(top.sort((a, b) => a - b));
    const texts = wordsOf(scene);
    expect(texts.some((text) => text.includes(`${drawn.length} of 40`))).toBe(true);
  });
});

describe("a function of a unit that is not drawn", () => {
  it("stands in the box of its layer, framed, with a line to what it adds to", () => {
    const show = page({ height: 300 });
    const all = Float32Array.from({ length: 240 }, (_, k) => Math.sin(3 * k));
    const given = { ...run([240, 4]), probe: { shape: [1, 240], inputs: all, labels: null } };
    const { diagram } = show(given);
    const [input, part] = diagram.parts;
    const n = part.bundles.findIndex(({ from, to }) => to === 1 && !input.byUnit.has(from));
    expect(wayOf(part, n)).toBeNull();
    const large = largeKernel(diagram, part, n);
    expect(large?.box).toEqual(part.stand);
    const [mark] = largeMarks(diagram, part, n, "ink", 2, themeOf("light"));
    if (mark?.kind !== "lines") throw new Error("no line");
    const { x, port } = part.byUnit.get(1) as { x: number; port: number };
    expect(Array.from(mark.xy).slice(-2)).toEqual([x - 2, port]);
  });
});

describe("units of a layer while it trains", () => {
  const all = Float32Array.from({ length: 60 }, (_, k) => Math.sin(3 * k));
  const here = { ...run([60, 5, 1]), probe: { shape: [1, 60], inputs: all, labels: null } };
  const at = (step: number, state: "running" | "idle" = "running"): Run => {
    const data = here.frame.data.map((value) => value * Math.sin(9e3 * value * step));
    return { ...here, frame: { ...here.frame, data, step }, state };
  };
  const unitsOf = ({ diagram: { parts } }: NetworkScene) => parts[0].units.map(({ unit }) => unit);
  const show = page({ height: 300 });
  const steps = [1, 2, 3, 4, 5, 6, 7, 8];
  const shown = steps.map((step) => unitsOf(show(at(step))));

  it("keep their places, but for one on the path, though others are stronger for a moment", () => {
    expect(shown[0].length).toBeLessThan(60);
    const others = steps.map((step) => unitsOf(page({ height: 300 })(at(step))));
    expect(new Set(others.map(String)).size).toBeGreaterThan(5);
    shown.slice(1).forEach((units, k) => {
      expect(units.filter((unit, place) => shown[k][place] !== unit).length).toBeLessThan(2);
    });
  });

  it("give way to what is stronger for long, one by one, and to nothing at its end", () => {
    const late = [9, 30, 59, 60].map((step) => unitsOf(show({ ...at(8), ...at8(step) })));
    expect(late[1]).toEqual(late[0]);
    expect(late[3]).not.toEqual(late[0]);
    expect(unitsOf(show({ ...at(8), ...at8(60), state: "idle" }))).toEqual(late[3]);
  });

  /** The functions of step 8 at another one. */
  function at8(step: number): Pick<Run, "frame"> {
    return { frame: { ...at(8).frame, step } };
  }
});

describe("bars", () => {
  it.each([900, 520])("each have their name and their number in %i pixels", (width) => {
    const scene = page({}, width)(run([6, 16, 1], 3));
    const view = { x: 0, y: 0, width, height: scene.height };
    const texts = textsIn(scene.sheets[5].marks(view)).map(({ text }) => text);
    if (scene.closeUp?.kind !== "unit") throw new Error("no unit");
    const numbers = texts.filter((text) => /^−?\d+\.\d+$/.test(text));
    const named = scene.closeUp.parts.filter(({ from }) => texts.includes(String(from)));
    expect(named.length).toBeGreaterThan(5);
    expect(numbers.length).toBeGreaterThanOrEqual(named.length);
    expect(texts.some((text) => text.includes("…"))).toBe(false);
  });

  it.each([640, 734, 800, 1000])("are long enough to be compared in %i pixels", (width) => {
    const scene = page({}, width)(run([6, 40, 1], 3));
    const bars = scene.sheets[5]
      .marks({ x: 0, y: 0, width, height: scene.height })
      .flatMap((mark) => (mark.kind === "rects" && mark.radius === 1 ? mark.boxes[2] : []));
    expect(bars.length).toBeGreaterThan(5);
    expect(Math.max(...bars)).toBeGreaterThan(35);
  });

  it("have the scale that they had, after others were pointed at", () => {
    const show = page({}, 900);
    const network = run([6, 8, 8, 4], 2);
    const barsOf = (id = "") => {
      const scene = show(network, { id, at: null, keyboard: "" });
      const marks = scene.sheets[5].marks({ x: 0, y: 0, width: 900, height: scene.height });
      return marks.flatMap((mark) =>
        mark.kind === "rects" && mark.radius === 1 ? [Array.from(mark.boxes)] : [],
      );
    };
    const before = barsOf();
    const others = [0, 1, 2, 3].map((unit) => barsOf(`u:3:${unit}`));
    expect(new Set(others.map(String)).size).toBe(4);
    expect(barsOf()).toEqual(before);
  });

  it("have a heading that keeps its form for whatever sum, in each width", () => {
    const network = run([6, 8, 8, 4]);
    const sums: string[] = [];
    for (let width = 560; width < 1000; width += 12) {
      const show = page({}, width);
      const forms = Array.from({ length: 8 }, (_, unit) => {
        const scene = show(network, { id: `u:2:${unit}`, at: null, keyboard: "" });
        const view = { x: 0, y: 0, width, height: scene.height };
        const heading = textsIn(scene.sheets[5].marks(view)).find(({ text }) =>
          /^[A-Z]/.test(text),
        );
        const [form, sum = ""] = (heading?.text ?? "").split(": ");
        sums.push(sum);
        return `${form.replace(/output \d/i, "")}: ${sum.replace(/^[\d.−]+/, "")}`;
      });
      expect(new Set(forms).size).toBe(1);
    }
    expect(sums).not.toContain("");
    expect(new Set(sums.map((sum) => sum.length)).size).toBeGreaterThan(1);
  });
});

describe("of the pixels of an image", () => {
  /** A kernel of nine functions over an image, one of whose pixels is taken apart. */
  function taken() {
    const [padding, one]: [[number, number, number, number], [number, number]] = [
      [1, 1, 1, 1],
      [1, 1],
    ];
    const geometry = { stride: one, padding, dilation: one, paddingMode: "zeros" } as const;
    const made = layer({
      ...{ name: "c0", shape: [1, 1, 3, 3], offset: 0 },
      conv: { ...geometry, groups: 1, shared: false },
    });
    const size = [1, 6, 6];
    const usual = { shape: size, sums: null, beside: {} };
    const stations: Station[] = [
      {
        ...{ name: "input", label: "input", ...usual, kind: "input" },
        ...{ layer: null, sources: [], compute: null },
      },
      {
        ...{ name: "c0", label: "c0", ...usual, kind: "kan" },
        ...{ layer: "c0", sources: [0], compute: { op: "kan" } as never },
      },
    ];
    const structure = { stations, traced: true, note: "" };
    const image = Float32Array.from({ length: 36 }, (_, k) => Math.sin(7 * k));
    const probe = { shape: [1, ...size], inputs: image, labels: null };
    const selection = { layer: "c0", out: 0, in: 0, row: 0, column: 0, looks: true };
    const run = { structure, probe, selection };
    return (seed: number) => ({ ...run, frame: frameOf([made], 0, seed) });
  }

  it("the one taken apart keeps its place until it is less than half the largest of its map", () => {
    const at = taken();
    const show = page();
    const { frame: from, ...run } = at(3);
    const { frame: to } = at(8);
    let last = -1;
    let [left, kept] = [0, 0];
    for (let step = 0; step <= 40; step++) {
      const data = from.data.map((value, k) => value + (step / 40) * (to.data[k] - value));
      const { closeUp, diagram } = show({ ...run, frame: { ...from, step, data } });
      if (closeUp?.kind !== "pixel") throw new Error("no pixel");
      const values = Array.from(diagram.flow?.values[1] ?? [], Math.abs);
      const [at, most] = [6 * closeUp.row + closeUp.at, Math.max(...values)];
      expect(values[at]).toBeGreaterThanOrEqual(0.5 * most);
      if (last >= 0 && at !== last) {
        expect(values[last]).toBeLessThan(0.5 * most);
        expect(values[at]).toBe(most);
        left++;
      } else if (values[at] < most) kept++;
      last = at;
    }
    expect(Math.min(left, kept)).toBeGreaterThan(0);
  });

  it.each([334, 546, 568, 900])(
    "the one taken apart has a large function that is told, and numbers on no curve, in %i pixels",
    (wide) => {
      const { sheets, width, height } = page({}, wide)(taken()(3));
      const view = { x: 0, y: 0, width, height };
      const [parts, axes] = [sheets[5].marks(view), sheets[6].marks(view)];
      const frame = axes.find((mark) => mark.kind === "rects" && mark.stroke && !mark.fill);
      if (frame?.kind !== "rects") throw new Error("no plot");
      expect(frame.boxes[2]).toBeGreaterThan(wide < 400 ? 120 : 170);
      const [name, said] = textsIn(axes).map(({ text }) => text);
      expect(name).toMatch(/^c0 · .* to map 0$/);
      expect(said).toMatch(/^row \d, column \d: φ\(.*\) = /);
      const all = textsIn(parts).filter(({ anchor, size }) => anchor === "middle" && size === 9);
      const cells = parts.flatMap((mark) =>
        mark.kind === "rects" && mark.radius === 3 && mark.stroke ? [mark.boxes] : [],
      );
      const below = cells.find(({ length }) => length === 36);
      const numbers = all.slice(-9); // before them are those of the inputs, which have ground of their own
      expect(numbers).toHaveLength(9);
      numbers.forEach(({ y, size = 0 }, k) => {
        const [top, high] = [below?.[4 * k + 1] ?? 0, below?.[4 * k + 3] ?? 0];
        expect(y - size).toBeGreaterThanOrEqual(top + high - 1);
        expect(high).toBeGreaterThan(20);
      });
    },
  );

  it("the one whose function is shown is framed on its kernel and on what all add", () => {
    const made = run([4, 3]);
    const probe = { shape: [1, 1, 2, 2], inputs: inputs.subarray(0, 4), labels: null };
    const scene = page()({ ...made, probe });
    const { diagram, shown, width, height } = scene;
    const view = { x: 0, y: 0, width, height };
    const flatOf = (mark: Mark): Mark[] =>
      mark.kind === "group" ? mark.marks.flatMap(flatOf) : [mark];
    const marksOf = (n: number) => scene.sheets[n].marks(view).flatMap(flatOf);
    const { ink } = themeOf("light").colours;
    const framesIn = (marks: readonly Mark[]) =>
      marks.flatMap((mark) =>
        mark.kind === "rects" && mark.stroke === ink && mark.width === 2 && !mark.radius
          ? [Array.from(mark.boxes)]
          : [],
      );
    const middle = ([x, y, wide, high]: number[]) => [x + wide / 2, y + high / 2];
    const entry = (shown?.f ?? -1) % 4;
    const within = ({
      x,
      y,
      width: w,
      height: h,
    }: {
      x: number;
      y: number;
      width: number;
      height: number;
    }) => [x + (w * ((entry % 2) + 0.5)) / 2, y + (h * (Math.floor(entry / 2) + 0.5)) / 2];
    const part = diagram.parts[1];
    const n = part.bundles.findIndex(({ first, count }) => first + count > (shown?.f ?? -1));
    const large = largeKernel(diagram, part, n);
    const picture = marksOf(5).find((mark) => mark.kind === "image" && mark.box.x > 60);
    if (!large || picture?.kind !== "image") throw new Error("no kernel, or no picture");
    const found = [3, 5].map((sheet) => framesIn(marksOf(sheet)).map(middle));
    expect(found).toEqual([
      [within(large.box).map((at) => expect.closeTo(at, 6))],
      [within(picture.box).map((at) => expect.closeTo(at, 6))],
    ]);
    const texts = textsIn(marksOf(5)).map(({ text }) => text);
    expect(texts.filter((text) => text.startsWith("±"))).toHaveLength(1);
  });
});

describe("the key of colours", () => {
  it("names the path only while that is drawn", () => {
    const show = page({}, 900);
    const said = (id: string) =>
      show(run([3, 5, 1]), { id, at: null, keyboard: "" }).caption.map(({ text }) => text);
    const [rests, pointed] = ["", "u:2:0"].map(said);
    expect(rests).toContain("strong path");
    expect(pointed).not.toContain("strong path");
    expect(pointed).toContain("pointed at");
    expect(pointed).toContain("negative / positive");
  });

  it("says of the path what it is where nothing is drawn yet", () => {
    const { layers, structure } = network([4, 3, 2]);
    const probe = { shape: [2, 1, 2, 2], inputs: new Float32Array(8), labels: null };
    const { caption } = page({ example: -1 })({ frame: frameOf(layers, 0, 3), structure, probe });
    const said = caption.map(({ text }) => text);
    expect(said).toContain("nothing is drawn yet");
    expect(said).toContain("varies most");
    expect(said).not.toContain("strong path");
  });
});

describe("a selected function without a place of its own", () => {
  const sizes = [6, 12, 12, 4];
  const show = page({}, 900);
  const first = run(sizes);
  const { diagram, legs } = show(first);
  const part = diagram.parts[2];
  const leg = legs.find(({ column }) => column === 2)?.bundle ?? -1;
  const other = part.links.find((n) => part.bundles[n].to !== part.bundles[leg].to) as number;
  const selection = selectionOf(part.column.layer as LayerLayout, part.bundles[other].first);
  const crosses = ({ diagram: { parts } }: NetworkScene, n: number) =>
    wayOf(parts[2], n)?.stops.some(({ height }) => height > 0);

  it("stands large in its gap, and the path passes it", () => {
    expect(part.stand).not.toBeNull();
    expect(crosses(show(first), leg)).toBe(true);
    const chosen = show({ ...first, selection });
    const own = [leg, other, ...part.links].map((n) => crosses(chosen, n));
    expect(own.filter(Boolean)).toEqual([]);
    const { x = 0, y = 0, width, height } = part.stand ?? { width: 0, height: 0 };
    const view = { x: 0, y: 0, width: chosen.width, height: chosen.height };
    expect(chosen.sites.at(x + width / 2, y + height / 2, view)).toBe(`e:2:${other}`);
  });

  it("stays there while something else is pointed at", () => {
    const violet = themeOf("light").colours.accent;
    const drawn = ({ sheets }: NetworkScene) =>
      paintsIn(sheets[3].marks({ x: 0, y: 0, width: 900, height: 600 })).has(violet);
    const pointed = { id: "u:1:0", at: null, keyboard: "" };
    expect([first, { ...first, selection }].map((given) => drawn(show(given, pointed)))).toEqual([
      false,
      true,
    ]);
  });
});

describe("the strongest path", () => {
  it("ends at the answer of each frame, however fast frames come and answers change", () => {
    const here = run([6, 8, 8, 4], 1);
    const show = page();
    const view = { x: 0, y: 0, width: 900, height: 600 };
    const answers = Array.from({ length: 12 }, (_, k) => {
      const { data } = run([6, 8, 8, 4], k + 1).frame;
      const { diagram, sheets } = show({ ...here, frame: { ...here.frame, data, step: k } });
      const best = diagram.scores?.best ?? -1;
      const { x = 0, y = 0, height = 0 } = diagram.parts[3].byUnit.get(best) ?? {};
      const [path] = sheets[1].marks(view);
      const lines = path.kind === "group" ? path.marks : [];
      const ends = lines.flatMap((mark) => {
        if (mark.kind !== "lines") return [];
        const xy = Array.from(mark.xy);
        const lasts = Array.from(mark.ends, (end) => xy.slice(2 * end - 2, 2 * end));
        return lasts.filter(([at]) => at > x - 20);
      });
      expect(ends.length).toBeGreaterThan(0);
      for (const [, at] of ends) expect(at).toBeCloseTo(y + height / 2, 3);
      return best;
    });
    expect(new Set(answers).size).toBeGreaterThan(2);
  });

  it("stays for some steps where it is weaker, not much, and then leads to what has the highest bar", () => {
    const here = run([6, 8, 8, 4], 1);
    const madeBy = (seed: number, step: number): Run => {
      const { data } = run([6, 8, 8, 4], seed).frame;
      return { ...here, frame: { ...here.frame, data, step } };
    };
    const path = ({ legs }: NetworkScene) => legs.map(({ bundle }) => bundle);
    const best = ({ diagram }: NetworkScene) => diagram.scores?.best;
    const first = page()(madeBy(1, 1));
    /** How many times as strong as the link of the first path another has become. */
    const behind = (seed: number) => {
      const other = page()(madeBy(seed, 1));
      if (other.closeUp?.kind !== "unit" || best(other) !== best(first)) return 0;
      const { parts, total } = other.closeUp;
      const { column } = other.legs[0];
      const { from } = other.diagram.parts[column].bundles[path(first)[0]];
      const sizes = parts.map(({ value }) => Math.sign(total) * value);
      return sizes[from] > 0 ? Math.max(...sizes) / sizes[from] : 0;
    };
    const seeds = Array.from({ length: 400 }, (_, k) => k + 2);
    const rival = seeds.find((seed) => behind(seed) > 1.6 && behind(seed) < 1.9) as number;
    expect(rival).toBeDefined();
    const show = page();
    const lasting = Array<number>(9).fill(rival);
    const shown = [1, 1, rival, rival, 1, ...lasting].map((seed, k) => show(madeBy(seed, k + 1)));
    expect(shown.map((scene) => path(scene)[0] === path(first)[0])).toEqual([
      ...Array(13).fill(true),
      false,
    ]);
    // While frames come in it need not be the strongest: it has the name that it has at rest.
    for (const { caption } of shown)
      expect(caption.map(({ text }) => text).filter((text) => text.includes("path"))).toEqual([
        "strong path",
      ]);
    // At its end the strongest is shown, as in a page that is loaded then.
    const [ends, loaded] = [show, page()].map((draw) => {
      const trained = draw === show ? [1, 1, 1, rival] : [];
      trained.forEach((seed, k) => {
        draw(madeBy(seed, k + 30));
      });
      return path(draw({ ...madeBy(rival, 33), state: "idle" }))[0];
    });
    expect(loaded).not.toBe(path(first)[0]);
    expect(ends).toBe(loaded);
    const scene = shown[13];
    if (scene.closeUp?.kind !== "unit") throw new Error("no unit");
    const values = scene.closeUp.parts.map(({ value }) => value);
    const sign = Math.sign(values.reduce((sum, value) => sum + value, 0));
    const { column, bundle } = scene.legs[0];
    const { from } = scene.diagram.parts[column].bundles[bundle];
    expect(sign * values[from]).toBe(Math.max(...values.map((value) => sign * value)));
  });
});

it("has room to draw in a narrow page, whatever the number of examples", () => {
  const { layers, structure } = network([4, 2]);
  const probe = { shape: [12, 1, 2, 2], inputs: new Float32Array(48), labels: null };
  const scene = page({}, 360)({ frame: frameOf(layers, 0, 3), structure, probe });
  const tiles = [...Array(12).keys(), -1].flatMap((number) => scene.sites.box(`x:${number}`) ?? []);
  expect(tiles.length).toBeGreaterThan(5);
  expect(scene.sites.box("x:-1")).toEqual(tiles.at(-1));
  for (const { x, width } of tiles) expect(x + width).toBeLessThanOrEqual(360);
});

it.each([340, 900])("has names of layers that do not touch each other in %i pixels", (width) => {
  const scene = page({}, width)(run([6, 8, 8, 8, 8, 4]));
  const view = { x: 0, y: 0, width: scene.width, height: scene.height };
  const texts = scene.sheets.flatMap((sheet) => textsIn(sheet.marks(view)));
  const heads = texts.filter(({ text }) => /^(KAN layer · )?l\d$/.test(text));
  expect(heads.length).toBe(5);
  // Bold words are wider: so close they would run together.
  for (const { weight } of heads) expect(weight).toBe(width < 500 ? 400 : 600);
});

it.each([546, 1268])("draws what ten outputs read in an image legibly in %i pixels", (width) => {
  const { layers, structure } = network([784, 10]);
  const probe = { shape: [1, 1, 28, 28], inputs: new Float32Array(784).fill(0.5), labels: null };
  const { diagram } = page({}, width)({ frame: frameOf(layers, 0, 3), structure, probe });
  const pictures = [...diagram.parts[1].kernels.values()];
  expect(pictures).toHaveLength(10);
  for (const box of pictures) {
    expect(box.width).toBeGreaterThan(60);
    expect(box.x + box.width).toBeLessThan(width);
    // None lies on another, nor on a circle.
    for (const { x, y } of [...pictures.filter((one) => one !== box), ...diagram.parts[1].units])
      expect(x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height).toBe(
        false,
      );
  }
});

it("shows the function of the pixel that is pointed at in the large picture of what each adds", () => {
  const { layers, structure } = network([784, 10]);
  const probe = { shape: [1, 1, 28, 28], inputs: new Float32Array(784).fill(0.5), labels: null };
  const show = page({}, 900);
  const what = { frame: frameOf(layers, 0, 3), structure, probe };
  const scene = show(what);
  const view = { x: 0, y: 0, width: scene.width, height: scene.height };
  const boxes = scene.sheets.flatMap(({ marks }) =>
    marks(view).flatMap((mark) => (mark.kind === "image" ? [mark.box] : [])),
  );
  const [box] = boxes.filter(({ x, y }) => x > 60 && y > scene.room.height).slice(-1);
  const at = { x: box.x + (10.5 / 28) * box.width, y: box.y + (3.5 / 28) * box.height };
  const id = scene.sites.at(at.x, at.y, view);
  const pointed = show(what, { id, at, keyboard: "" });
  expect(pointed.shown?.name).toContain("row 3, column 10 to output");
  expect(pointed.closeUp?.unit).toBe(scene.closeUp?.unit);
  expect(scene.sites.at(box.x - 4, at.y, view)).toBe("");
});

describe("few functions in a phone's width", () => {
  const scene = page({}, 340)(run([3, 5, 1]));
  const view = { x: 0, y: 0, width: scene.width, height: scene.height };

  it("take the height there is", () => {
    for (const { kernels } of scene.diagram.parts)
      for (const { width, height } of kernels.values()) expect(height / width).toBeGreaterThan(0.6);
  });

  it("have what φ reaches over them", () => {
    const texts = scene.sheets.flatMap(({ marks }) => textsIn(marks(view)));
    const said = texts.filter(({ text }) => /φ −?[\d.]+ to [\d.]+$/.test(text));
    expect(said).toHaveLength(2);
    // An input may be called x or y: a heading says of no axis that it is one.
    for (const { text } of texts) expect(text).not.toMatch(/\b[xy] −?[\d.]+ to/);
  });
});
