// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { bringIntoSight, drawingInSight, scrollingPanel } from "../src/shell/in_sight.ts";
import type { Store } from "../src/wire/types.ts";
import { said } from "./said.ts";

it("brings a view into sight once in a run, also where models are trained in turns", () => {
  const panel = document.body.appendChild(document.createElement("div"));
  panel.style.overflowY = "auto";
  const view = panel.appendChild(document.createElement("div"));
  view.dataset.stream = "s";
  panel.getBoundingClientRect = () => new DOMRect(0, 0, 100, 500);
  let height = 300;
  view.getBoundingClientRect = () => new DOMRect(0, 450 - panel.scrollTop, 100, height);
  const states: string[] = [];
  let probe: object | null = {};
  const seen = { probe: () => probe, alone: () => false, latest: () => null };
  const store = { standing: () => said(states[0]), ...seen } as unknown as Store;
  const goThrough = (...all: string[]) => {
    for (const state of all) {
      states[0] = state;
      bringIntoSight(view, store);
    }
    return panel.scrollTop;
  };
  expect(goThrough("running")).toBe(250);
  height = 330;
  bringIntoSight(view, store, true);
  expect(panel.scrollTop).toBe(280);
  // Of one that outgrows its panel the top, where it is steered, does not leave by itself.
  height = 600;
  const plot = view.appendChild(document.createElement("div"));
  plot.className = "kw-viewport";
  plot.getBoundingClientRect = () => new DOMRect(0, 650 - panel.scrollTop, 100, 400);
  bringIntoSight(view, store, true);
  expect(panel.scrollTop).toBe(280);
  height = 300;
  panel.dispatchEvent(new Event("wheel"));
  bringIntoSight(view, store, true);
  panel.scrollTop = 0; // someone scrolls away
  expect(goThrough("still", "running", "paused", "running")).toBe(0);
  // A key that starts the next training is none that stops it from coming.
  goThrough("finished");
  panel.dispatchEvent(new Event("keydown"));
  expect(goThrough("running")).toBe(250);
  panel.scrollTop = 0;
  expect(goThrough("finished", "running")).toBe(250);
  // Before the first batch a network is small: it comes at once, and again once it has grown.
  panel.scrollTop = 0;
  probe = null;
  expect(goThrough("finished", "running")).toBe(250);
  panel.scrollTop = 0;
  view.className = "kw-network-view";
  expect(goThrough("finished", "running")).toBe(250);
  panel.scrollTop = 0;
  probe = {};
  expect(goThrough("idle")).toBe(250);
});

it("goes back to the head of a new view from the next cell, until someone does something", () => {
  document.body.innerHTML = `<div class="jp-mod-commandMode" style="overflow-y: auto">
    <div class="jp-Cell"><div></div><div></div></div><div class="jp-Cell jp-mod-active"></div></div>`;
  const [panel, cell] = document.querySelectorAll<HTMLElement>(".jp-mod-commandMode, .jp-Cell");
  const [first, other] = [...cell.children] as HTMLElement[];
  panel.getBoundingClientRect = () => new DOMRect(0, 0, 100, 500);
  const store = { standing: () => said("idle") } as unknown as Store;
  const shows = (view: HTMLElement, top: number, hasGrown = false) => {
    panel.scrollTop = 400;
    view.getBoundingClientRect = () => new DOMRect(0, top, 100, 300);
    bringIntoSight(view, store, hasGrown);
    return panel.scrollTop - 400;
  };
  expect(shows(first, -180)).toBe(-180);
  expect(shows(first, -180)).toBe(0); // a frame of a training
  expect(shows(first, -70, true)).toBe(-70);
  panel.dispatchEvent(new Event("wheel"));
  expect(shows(first, -70, true)).toBe(0);
  // Someone has gone on from there, or types.
  cell.nextElementSibling?.classList.remove("jp-mod-active");
  expect(shows(other, -180)).toBe(0);
  expect(shows(other, -180, true)).toBe(0);
});

it("leaves a drawing as high as it is where what is read below it takes more lines", () => {
  const view = document.body.appendChild(document.createElement("div"));
  const drawing = view.appendChild(document.createElement("div"));
  const read = view.appendChild(document.createElement("div"));
  read.className = "kw-readout-row";
  const sizes = { read: 42, drawing: 400, header: 100 };
  const isHigh = (of: Element, high: () => number, name = "offsetHeight") =>
    Object.defineProperty(of, name, { get: high });
  isHigh(drawing, () => sizes.drawing);
  isHigh(read, () => sizes.read);
  isHigh(view, () => sizes.header + sizes.drawing + sizes.read, "scrollHeight");
  const sight = drawingInSight(view, drawing, () => null);
  const height = () => {
    sight.changed(true);
    return sight.height() ?? 0;
  };
  const before = height();
  sizes.read = 76;
  expect(height()).toBe(before);
  sizes.header = 130;
  expect(height()).toBe(before - 30);
  // In a narrower window that many lines are what it takes.
  Object.defineProperty(view, "clientWidth", { get: () => 600 });
  expect(height()).toBe(before - 30 - 34);
});

it("makes a network that waits for its first batch as high as what is left, if that is enough", () => {
  const panel = document.body.appendChild(document.createElement("div"));
  panel.style.overflowY = "auto";
  const view = panel.appendChild(document.createElement("div"));
  const drawing = view.appendChild(document.createElement("div"));
  const sizes = { top: 250, all: 600 };
  Object.defineProperty(panel, "clientHeight", { get: () => sizes.all });
  Object.defineProperty(panel, "scrollHeight", { get: () => 2000 });
  panel.getBoundingClientRect = () => new DOMRect(0, 0, 100, sizes.all);
  view.getBoundingClientRect = () => new DOMRect(0, sizes.top, 100, 500);
  let probe: object | null = null;
  const store = { probe: () => probe, alone: () => false, latest: () => null } as unknown as Store;
  const sight = drawingInSight(view, drawing, () => store);
  const height = () => {
    sight.changed(true);
    return sight.height();
  };
  expect(height()).toBe(334);
  sizes.top = 400; // less than is enough
  expect(height()).toBe(584);
  sizes.top = 250;
  probe = {};
  expect(sight.height()).toBe(584);
});

it("takes for a panel no box that is as high as all that is in it, the last of which may be another", () => {
  const box = document.body.appendChild(document.createElement("div"));
  box.style.overflowY = "auto";
  const view = box.appendChild(document.createElement("div"));
  const foot = box.appendChild(document.createElement("footer"));
  view.getBoundingClientRect = () => new DOMRect(0, 0, 100, 700);
  foot.getBoundingClientRect = () => new DOMRect(0, 700, 100, 50);
  box.getBoundingClientRect = () => new DOMRect(0, 0, 100, 750);
  expect(scrollingPanel(view)).toBe(null);
  // In a higher box there is room left: it does not grow with them.
  box.getBoundingClientRect = () => new DOMRect(0, 0, 100, 900);
  expect(scrollingPanel(view)).toBe(box);
});
