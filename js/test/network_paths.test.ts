// @vitest-environment happy-dom
/** Paths of a circuit in NetworkView: where they lead, what is said of them, and the buttons that walk along. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Given } from "../src/scene/drawing.ts";
import { NOT_POINTED } from "../src/scene/drawing.ts";
import { themeOf } from "../src/scene/theme.ts";
import { drawing, type NetworkScene } from "../src/views/network_view/scene.ts";
import { render } from "../src/views/network_view/view.ts";
import { initialize } from "../src/wire/stream.ts";
import { blankPage, endPage, traitsOf } from "./blank_page.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

let life: AbortController;
beforeEach(() => {
  life = new AbortController();
  blankPage(900, 600);
});
afterEach(() => endPage(life));

function storeOf() {
  const run = makeRun(RUNS.deep);
  const model = new FakeModel({ ...traitsOf(run), edits: { undo: 0, redo: 0, message: "" } });
  const store = initialize({ model: model as never, signal: life.signal });
  model.receive({ kind: "frame", layout: 1, step: 0, data: run.frame(0) });
  return store;
}

function sceneOf(traits: Record<string, unknown>): NetworkScene {
  const get = (trait: string) => traits[trait];
  const given = { store: storeOf(), get, width: 900, height: 600, theme: themeOf("light") };
  const scene = drawing()({ ...given, ratio: 1, pointed: NOT_POINTED, room: 0 } as Given);
  if (typeof scene === "string") throw new Error(scene);
  return scene;
}

/** The units before and after each link that is drawn thick, from the end. */
const linksOf = ({ diagram, legs }: NetworkScene) =>
  legs.map(({ column, bundle }) => {
    const { from, to } = diagram.parts[column].bundles[bundle];
    return [from, to];
  });

/** A path through the least strong link into each unit. */
function weakest() {
  const { diagram } = sceneOf({});
  const links: number[][] = [];
  const units: Record<string, number> = {};
  let part = diagram.parts.at(-1);
  const target = part?.bundles.at(-1)?.to ?? -1;
  for (let to = target; part?.before; part = part.before) {
    const { bundles, relevance, column } = part;
    const sizes = [...bundles.keys()].filter((n) => bundles[n].to === to);
    sizes.sort((a, b) => (relevance?.sizes[a] ?? 0) - (relevance?.sizes[b] ?? 0));
    const { from } = bundles[sizes[0]];
    links.push([from, to]);
    units[column.layer?.name ?? ""] = to = from;
  }
  return { links, path: { target, units, words: "path 1 of 2: 41 %", title: "φ 0 → class 1" } };
}

it("is drawn in place of the strongest, and its share is said", () => {
  const { links, path } = weakest();
  const other = { ...path, words: "path 2 of 2", target: -1 };
  const traits = { paths: [path, other] };
  expect(linksOf(sceneOf({ ...traits, path: 0 }))).toEqual(links);
  const [said] = sceneOf({ ...traits, path: 0 }).caption.filter(({ text }) => text === path.words);
  expect(said.title).toBe(path.title);
  expect(linksOf(sceneOf({ ...traits, path: 1 }))).toEqual([]); // there is no such class
  const strongest = linksOf(sceneOf({}));
  expect(strongest).not.toEqual(links);
  expect(linksOf(sceneOf({ ...traits, path: -1 }))).toEqual(strongest);
});

it("is walked by two buttons, round all paths and the strongest", async () => {
  const { path } = weakest();
  const walk = (paths: unknown[]) => {
    const store = storeOf();
    const traits = { stream: "anywidget:s", theme: "light", example: 0, path: 0, paths };
    const model = new FakeModel({ ...traits, height: null, drawing: null, drawn: {}, notice: "" });
    const el = document.body.appendChild(document.createElement("div"));
    const host = { getWidget: async () => ({ exports: store }) };
    render({ model, el, host, signal: life.signal } as never);
    const buttons = [...el.querySelectorAll<HTMLButtonElement>(".kw-button")];
    return {
      model,
      buttons: ["‹", "›"].map((words) => buttons.find((b) => b.textContent === words)),
    };
  };
  const { model, buttons } = walk([path, path]);
  const places = [1, 1, 1, 0, 0].map((k) => {
    buttons[k]?.click();
    return model.get("path");
  });
  expect(places).toEqual([1, -1, 0, -1, 1]);
  const without = walk([]);
  await painted();
  const isHidden = (all: typeof buttons) => all.map((button) => button?.hidden);
  expect([isHidden(buttons), isHidden(without.buttons)]).toEqual([
    [false, false],
    [true, true],
  ]);
});
