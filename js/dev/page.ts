/**
 * Shows KernelGrid on a made-up training run. The query sets everything:
 *   layers=article|conv16x8|linear|broken|many   width=700   fps=20   steps=400   views=1
 *   any trait: mode=pattern theme=dark scale=kernel ...
 */

import type { GridElement } from "../src/views/kernel_grid/probe.ts";
import { render } from "../src/views/kernel_grid/view.ts";
import { initialize } from "../src/wire/stream.ts";
import { FakeModel } from "./fake_model.ts";
import { makeRun, RUNS } from "./made_up_run.ts";

const query = new URLSearchParams(location.search);
const number = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);

const run = makeRun(RUNS[query.get("layers") ?? "article"] ?? RUNS.article);
const stream = new FakeModel({
  layouts: [run.layout],
  initial: { layout: 1, step: 0, data: run.frame(0) },
  frame: {},
  selection: {},
  cursor: -1,
  status: { state: "idle", message: "" },
});
const life = new AbortController();
const store = initialize({ model: stream as never, signal: life.signal });
const send = (step: number) =>
  stream.receive({ kind: "frame", layout: 1, step }, [run.frame(step)]);

const traits = {
  stream: "anywidget:stream",
  layer: "",
  mode: "curves",
  binarise: false,
  scale: "layer",
  ghost: true,
  x_range: "inputs",
  sort: "position",
  height: 480,
  theme: "auto",
};
const given = Object.fromEntries(
  [...query].flatMap(([key, value]) => {
    if (!(key in traits)) return [];
    return [
      [key, { true: true, false: false }[value] ?? (key === "height" ? Number(value) : value)],
    ];
  }),
);

const views = document.querySelector<HTMLElement>("#views") as HTMLElement;
views.style.width = query.has("width") ? `${query.get("width")}px` : "";
if (query.get("theme") === "dark") document.body.style.background = "#16181c";
const model = new FakeModel({ ...traits, ...given });
for (let k = 0; k < number("views", 1); k++) {
  const el = views.appendChild(document.createElement("div"));
  const host = { getWidget: async () => ({ exports: store }) };
  render({ model, el, host, signal: life.signal } as never);
}

let step = number("steps", 400);
if (step > 0) send(step);
if (query.has("fps")) {
  stream.set("status", { state: "live", message: "" });
  setInterval(() => {
    step += 10;
    send(step);
  }, 1000 / number("fps", 20));
}

Object.assign(window, {
  kwDev: {
    store,
    stream,
    model,
    run,
    send,
    life,
    grid: () => document.querySelector<GridElement>(".kw-kernel-grid")?.kwGrid,
  },
});
