/** The words above LayerRanges' figures, or the table beside them. Selecting works without the kernel. */

import type { RenderProps } from "@anywidget/types";
import { describe } from "../../shell/alternative.ts";
import { keepKeys } from "../../shell/keys.ts";
import { createSave } from "../../shell/save.ts";
import { inJupyter, themeAround, watchTheme } from "../../shell/theme.ts";
import type { Store } from "../../wire/types.ts";
import { createBar } from "./bar.ts";
import type { Traits } from "./content.ts";
import { createTable } from "./table.ts";

function render({ model, el, host, signal }: RenderProps<Traits>): void {
  const document = el.ownerDocument;
  let store: Store | null = null;
  let connection = new AbortController();

  const set = (name: string, value: unknown) => {
    model.set(name, value);
    model.save_changes();
  };
  const save = createSave(
    document,
    {
      root: () => el.closest<HTMLElement>(".kw-layer-ranges") ?? el,
      name: () => `layer-ranges step ${model.get("content").step ?? ""}`,
      redraw() {},
    },
    signal,
  );
  const bar = createBar(document, {
    threshold: (value) => set("threshold", value),
    overTime: (measure) => set("over_time", measure),
  });
  bar.foot.append(save);
  const table = createTable(
    document,
    (row) => store?.select(row.typical),
    (row, by) => model.send({ kind: "step", row, by }),
  );
  const isBar = model.get("part") === "bar";
  el.append(isBar ? bar.element : table.element);
  keepKeys(el, signal);

  const draw = () => {
    if (isBar) bar.draw(model.get("content"));
    else {
      table.draw(model.get("content"));
      nameFigures();
    }
  };
  /** The figures' text alternatives: what they draw is in the table, which the keyboard reaches. */
  const nameFigures = () => {
    const box = el.closest<HTMLElement>(".kw-layer-ranges");
    const { rows = [] } = model.get("content");
    const layers = rows.map(({ title, cells }) => `${title} ${cells[0]?.[0] ?? ""}`).join(", ");
    const names: [string, string][] = [
      [".kw-ranges-now", `Ranges of φ, a row for each layer. Medians: ${layers}`],
      [".kw-ranges-times", `Over the steps, a curve for each layer: ${model.get("over_time")}`],
    ];
    for (const [place, name] of names) {
      const figure = box?.querySelector(place);
      figure?.setAttribute("role", "img");
      if (figure) describe(figure, name, "");
    }
  };
  const options = () => bar.options(model.get("threshold"), model.get("over_time"));
  const mark = () => table.mark(store?.selection() ?? null);

  const connect = async () => {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    if (!host?.getWidget) {
      bar.message("This view needs anywidget 0.11 or newer in the page.");
      return;
    }
    try {
      const { exports } = await host.getWidget<Store>(model.get("stream"));
      if (mine.aborted || signal.aborted || !exports?.subscribe) return;
      store = exports;
      store.subscribe((what) => what === "selection" && mark(), AbortSignal.any([mine, signal]));
      mark();
    } catch (error) {
      if (mine.aborted || signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      bar.message(`The stream of this view cannot be read: ${reason}`);
    }
  };

  // The figures are bqplot's and lie outside: the box around all carries the theme.
  const dress = () => {
    const box = el.closest<HTMLElement>(".kw-layer-ranges");
    if (!box) return;
    const chosen = model.get("theme");
    box.dataset.kwTheme = chosen === "auto" ? themeAround(el) : chosen;
    if (chosen === "auto" && inJupyter(document)) box.dataset.kwHost = "jupyter";
    else delete box.dataset.kwHost;
    if (!isBar) nameFigures();
  };
  const attached = new ResizeObserver(() => dress());
  attached.observe(el);
  watchTheme(el, dress, signal);

  const changes: [string, () => void][] = [
    ["change:content", draw],
    ["change:threshold", options],
    ["change:over_time", options],
    ["change:theme", dress],
    ["change:stream", () => void connect()],
  ];
  for (const [event, call] of changes) model.on(event, call);
  signal.addEventListener(
    "abort",
    () => {
      for (const [event, call] of changes) model.off(event, call);
      attached.disconnect();
      connection.abort();
    },
    { once: true },
  );
  draw();
  options();
  dress();
  void connect();
}

export default { render };
