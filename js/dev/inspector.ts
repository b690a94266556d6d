/**
 * Shows SplineInspector on a made-up training run. The query sets everything:
 *   layers=article|linear|broken|…   width=700   steps=400   fps=20   observed=1   select=conv2,1,0,2,2
 *   any trait: editable=true stacked=true theme=dark height=420 …
 */

import { type InspectorElement, render } from "../src/views/spline_inspector/view.ts";
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
  ghost_step: -1,
  edits: { undo: 0, redo: 0, message: "" },
  status: { state: "idle", message: "" },
});
const life = new AbortController();
const store = initialize({ model: stream as never, signal: life.signal });
let step = number("steps", 400);
const send = (at: number, data = run.frame(at)) =>
  stream.receive({ kind: "frame", layout: 1, step: at }, [data]);

// A kernel that does what an edit says.
const post = stream.send.bind(stream);
stream.send = (content: unknown) => {
  post(content);
  const asked = content as Record<string, never> & { coefficients?: number[]; final?: boolean };
  const layer = run.layout.layers.find(({ name }) => name === asked.layer);
  if (asked.kind !== "edit" || !layer || !asked.coefficients) return;
  const [, inputs, kh, kw] = layer.shape;
  const f = ((asked.out * inputs + asked.in) * kh + asked.row) * kw + asked.column;
  const frame = store.latest();
  if (!frame) return;
  const data = frame.data.slice();
  data.set(asked.coefficients, layer.offset + f * layer.nb);
  setTimeout(() => {
    send(step, new DataView(data.buffer));
    if (asked.final) stream.set("edits", { undo: 1, redo: 0, message: "" });
  }, 60);
};

const traits = {
  stream: "anywidget:stream",
  layer: "",
  editable: false,
  show: ["phi", "base", "spline", "basis", "ghost", "points", "knots", "density"],
  hidden: [] as string[],
  stacked: false,
  height: 380,
  theme: "auto",
  pins: [] as unknown[],
  evaluation: {},
  notice: "",
};
const given = Object.fromEntries(
  [...query].flatMap(([key, value]) => {
    if (!(key in traits)) return [];
    const list = Array.isArray(traits[key as keyof typeof traits]);
    if (list) return [[key, value.startsWith("[") ? JSON.parse(value) : value.split(",")]];
    if (key === "evaluation") return [[key, JSON.parse(value)]];
    return [
      [key, { true: true, false: false }[value] ?? (key === "height" ? Number(value) : value)],
    ];
  }),
);

if (query.has("observed")) {
  for (const layer of run.layout.layers) {
    const [, inputs, kh, kw] = layer.shape;
    const entries = inputs * kh * kw;
    const [lo, hi] = [-2.2, 2.2];
    const edges = Float32Array.from({ length: 65 }, (_, k) => lo + ((hi - lo) * k) / 64);
    const counts = new Float32Array(entries * 64);
    for (let e = 0; e < entries; e++) {
      for (let k = 0; k < 64; k++) {
        const x = (edges[k] + edges[k + 1]) / 2;
        counts[e * 64 + k] =
          Math.round(900 * Math.exp(-(((x + 0.6) / 0.25) ** 2))) +
          Math.round(300 * Math.exp(-(((x - 0.9) / 0.4) ** 2)));
      }
    }
    const share = (value: number) => new Float32Array(entries).fill(value);
    const arrays = {
      edges,
      counts,
      outside_domain: share(0.1234),
      outside_extent: share(0.0004),
      patches: new Float32Array(entries),
    };
    stream.receive(
      {
        kind: "observed",
        layer: layer.name,
        samples: 64,
        is_image: false,
        shapes: {
          edges: [65],
          counts: [entries, 64],
          outside_domain: [entries],
          outside_extent: [entries],
          patches: [1, entries],
        },
        arrays: Object.fromEntries(Object.keys(arrays).map((name, k) => [name, k])),
      },
      Object.values(arrays).map((array) => new DataView(array.buffer)),
    );
  }
}

const views = document.querySelector<HTMLElement>("#views") as HTMLElement;
views.style.width = query.has("width") ? `${query.get("width")}px` : "";
if (query.get("theme") === "dark") document.body.style.background = "#16181c";
const model = new FakeModel({ ...traits, ...given });
for (let k = 0; k < number("views", 1); k++) {
  const el = views.appendChild(document.createElement("div"));
  const host = { getWidget: async () => ({ exports: store }) };
  render({ model, el, host, signal: life.signal } as never);
}

if (query.has("select")) {
  const [layer, ...index] = (query.get("select") ?? "").split(",");
  const [out, input, row, column] = index.map(Number);
  store.select({ layer, out, in: input, row, column });
}
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
    view: () => document.querySelector<InspectorElement>(".kw-spline-inspector")?.kwView,
  },
});
