// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import type { Shell } from "../src/shell/mount.ts";
import * as grid from "../src/views/kernel_grid/view.ts";
import * as maps from "../src/views/meshgrid_view/controls.ts";
import { settingsOf } from "../src/views/meshgrid_view/settings.ts";
import { layer } from "./samples.ts";

afterEach(() => {
  document.body.replaceChildren();
});

/** As a page has it: every widget comes with its own copy of the module. */
async function copy() {
  vi.resetModules();
  const { createKit } = await import("../src/shell/controls.ts");
  return createKit(document, new AbortController().signal);
}

const checked = (box: HTMLElement) =>
  Array.from(box.querySelectorAll("input"), (input) => input.checked);

it("lets two copies of a view each have their own choice", async () => {
  const boxes = [];
  for (const value of ["a", "b"]) {
    const choice = (await copy()).segments("What is drawn", () => {});
    document.body.append(choice.box);
    choice.fill(["a", "b"].map((one) => ({ value: one, label: one })));
    choice.set(value);
    boxes.push(choice.box);
  }
  expect(boxes.map(checked)).toEqual([
    [true, false],
    [false, true],
  ]);
});

it("tells the value of a segment that a person chose", async () => {
  const chosen: string[] = [];
  const choice = (await copy()).segments("What is drawn", (value) => chosen.push(value));
  document.body.append(choice.box);
  choice.fill(["a", "b"].map((one) => ({ value: one, label: one })));
  const second = choice.box.querySelectorAll("input")[1];
  second.checked = true;
  second.dispatchEvent(new Event("change", { bubbles: true }));
  expect(chosen).toEqual(["b"]);
});

it("says nothing of Python in a header, which a page without a kernel has too", () => {
  const signal = new AbortController().signal;
  const nothing = () => {};
  const acts = { choose: nothing, clear: nothing };
  const shell = { document, signal, hosted: false, choose: nothing } as unknown as Shell;
  const shown = maps.createHeader(shell, acts);
  shown.show({
    ...settingsOf((trait) => (trait === "mode" ? "response" : undefined), null),
    layer: "",
    layers: [],
    width: 800,
    inputs: { choices: ["images", "observed", "drawn"], input: "observed" },
    choice: null,
    canObserve: false,
  });
  const headers = [grid.createHeader(shell), shown];
  const titles = headers.flatMap(({ element }) =>
    Array.from(element.querySelectorAll("[title]"), (one) => one.getAttribute("title") ?? ""),
  );
  expect(titles).toContain("The observed inputs of this layer");
  expect(titles.filter((title) => title.includes("live."))).toEqual([]);
});

it("says of a layer that has a number for a name what it is", async () => {
  const choice = (await copy()).layers(() => {});
  const layers = [layer({ name: "0" }), layer({ name: "convs.1" })];
  choice.show(layers, "0", 1000);
  const texts = Array.from(choice.boxes[0].querySelectorAll(".kw-segment"), (one) =>
    one.textContent?.trim(),
  );
  expect(texts).toEqual(["layer 0 · conv", "convs.1"]);
});
