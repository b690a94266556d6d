/** TrainingPanel: the switch of a training, its numbers and its curves. */

import type { RenderProps } from "@anywidget/types";
import { formatCount } from "../../phi/format.ts";
import { linear, type Range } from "../../scene/axes.ts";
import { entriesOf } from "../../scene/chart.ts";
import type { Point } from "../../scene/marks.ts";
import { element } from "../../shell/element.ts";
import { watchKernel } from "../../shell/kernel.ts";
import { plainKey } from "../../shell/keys.ts";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { createStage } from "../../shell/stage.ts";
import { createBar } from "./bar.ts";
import { createCommands } from "./commands.ts";
import { createControls } from "./controls.ts";
import { createNotes } from "./notes.ts";
import { barBox, drawing, type PanelScene, shareDone } from "./scene.ts";
import type { Status } from "./status.ts";
import css from "./style.css";
import { statusIn, zoomOf } from "./traits.ts";
import { stateWord } from "./words.ts";

/** What tests may ask of a view, as `element.kwPanel`. */
export interface PanelElement extends HTMLElement {
  kwPanel: {
    status(): Status;
    scene(): PanelScene | null;
    /** The latest values, or those at the step that is read: "loss 0.31". */
    values(): string[];
    /** Where a panel's plot lies, in client pixels. */
    plot(panel: number): { x: number; y: number; width: number; height: number } | null;
  };
}

const KIND: Kind = {
  name: "training_panel",
  label: "Training panel",
  traits: ["status", "curves", "marks", "zoom", "scale", "smoothing", "height"],
  timeless: true,
  drawing,
};
/** A drag over fewer pixels is a click. */
const LEAST = 5;

export { css, drawing };

export function render(props: RenderProps): void {
  mountView(KIND, props, build);
}

function build(shell: Shell): Parts {
  const { document, signal, model } = shell;
  const draw = drawing();
  const commands = createCommands((content) => model.send(content), shell.schedule);
  const controls = createControls(document, commands, known, signal);
  const notes = createNotes(document, commands);
  const bar = createBar(shell, zoomBy, () => zoomTo(null));
  let scene: PanelScene | null = null;
  let answered: Status | null = null;
  let connected = true;
  let told = "";

  const stage = createStage(
    document,
    {
      moved: read,
      press() {},
      left: () => point(null),
      grab: (_, at) => band(at),
      twice: () => zoomTo(null),
      keyFirst: key,
      cursor: () => "crosshair",
    },
    signal,
  );
  const progress = element(document, "div", "kw-progress", stage.page);
  progress.setAttribute("role", "progressbar");
  progress.setAttribute("aria-label", "Progress");
  const body = element(document, "div", "kw-body");
  body.append(notes.element, stage.element);
  const header = element(document, "div", "kw-header");
  header.append(controls.element, bar.element);

  function known(): Status {
    return answered ?? statusIn(shell.get);
  }

  /** Says how far it is, and in which state when that changes, to those who listen. */
  function tell({ status, width }: PanelScene) {
    const share = shareDone(status);
    progress.hidden = share === null;
    if (share !== null) {
      const { x, y, width: length, height } = barBox(width);
      progress.style.cssText = `left:${x}px;top:${y}px;width:${length}px;height:${height}px`;
      progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    }
    const state = stateWord(status);
    if (told && state !== told) shell.speak(`training ${state}`);
    told = state;
  }

  /** The step under a place of the scene; null beside the plots. */
  function stepAt(at: Point, near = false): number | null {
    if (!scene) return null;
    const { layout } = scene;
    for (const { box, plot } of layout.places) {
      const inside = at.x >= plot.x && at.x <= plot.x + plot.width;
      const over = at.y >= box.y && at.y <= box.y + box.height;
      if (!over || !(inside || near)) continue;
      const x = Math.max(plot.x, Math.min(plot.x + plot.width, at.x));
      return linear(
        { from: plot.x, to: plot.x + plot.width },
        layout.steps.from,
        layout.steps.to,
      )(x);
    }
    return null;
  }

  function point(step: number | null) {
    draw.hands = { ...draw.hands, step };
    shell.schedule();
  }

  function read() {
    const { at } = stage.pointed();
    if (at) point(stepAt(at));
    else shell.schedule();
  }

  /** A drag over some steps chooses them. */
  function band(from: Point) {
    const start = stepAt(from);
    if (start === null) return null;
    let last = from;
    return {
      move(at: Point) {
        last = at;
        draw.hands = { step: null, band: [start, stepAt(at, true) ?? start] };
        shell.schedule();
      },
      end() {
        const chosen = draw.hands.band;
        draw.hands = { step: null, band: null };
        if (chosen && Math.abs(last.x - from.x) >= LEAST) {
          const [low, high] = [...chosen].sort((a, b) => a - b);
          zoomTo({ from: low, to: high });
        }
        shell.schedule();
      },
    };
  }

  function zoomTo(next: Range | null) {
    shell.choose("zoom", next ? [next.from, next.to] : []);
  }

  function zoomBy(factor: number) {
    if (!scene) return;
    const { from, to } = scene.layout.steps;
    const half = Math.max(1, ((to - from) / 2) * factor);
    zoomTo({ from: (from + to) / 2 - half, to: (from + to) / 2 + half });
  }

  function key(event: KeyboardEvent): boolean {
    if (!scene || !plainKey(event)) return false;
    const { from, to } = scene.layout.steps;
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (sign) {
      const by = sign * Math.max(1, ((to - from) * (event.shiftKey ? 10 : 2)) / 100);
      const { step } = draw.hands;
      const wanted = Math.round(step === null ? (from + to) / 2 : step + by);
      const zoomed = zoomOf(shell.get("zoom")) !== null;
      if (zoomed && (wanted < from || wanted > to)) zoomTo({ from: from + by, to: to + by });
      const next = zoomed ? wanted : Math.max(from, Math.min(to, wanted));
      point(next);
      shell.speak([`step ${formatCount(next)}`, ...values(scene)].join(", "));
    } else if (event.key === "+" || event.key === "=") zoomBy(0.5);
    else if (event.key === "-") {
      if (zoomOf(shell.get("zoom"))) zoomBy(2);
    } else if (event.key === "0") zoomTo(null);
    else if (event.key === "Escape") point(null);
    else return false;
    return true;
  }

  function values({ chart, layout }: PanelScene): string[] {
    return chart.panels.flatMap((panel) =>
      entriesOf(panel, layout.steps, draw.hands.step).map(
        ({ name, value }) => `${name || panel.title} ${value}`,
      ),
    );
  }

  const heard = (content: unknown) => {
    answered = commands.take(content) ?? answered;
    shell.schedule();
  };
  model.on("msg:custom", heard);
  shell.root.addEventListener("keydown", controls.key, { signal });
  const meet = (there: boolean) => {
    connected = there;
    shell.schedule();
  };
  void watchKernel(model, shell.get("own"), meet, signal);
  signal.addEventListener(
    "abort",
    () => {
      model.off("msg:custom", heard);
      commands.stop();
    },
    { once: true },
  );
  (shell.root as unknown as PanelElement).kwPanel = {
    status: known,
    scene: () => scene,
    values: () => (scene ? values(scene) : []),
    plot(panel) {
      const plot = scene?.layout.places[panel]?.plot;
      if (!plot) return null;
      const { left, top } = stage.canvas.getBoundingClientRect();
      const seen = stage.view();
      return { ...plot, x: left + plot.x - seen.x, y: top + plot.y - seen.y };
    },
  };

  return {
    header,
    body,
    width: stage.width,
    fileName: () => `training-panel step ${scene?.status.step ?? ""}`,
    changed(what) {
      if (what === "status") {
        answered = null;
        commands.news();
      }
      if (what === "stream") greet();
    },
    draw(given) {
      const status = known();
      const get = (trait: string) => (trait === "status" ? status : given.get(trait));
      controls.show(status, alone());
      notes.show(status, alone());
      bar.show(given.get, alone());
      const shown = stage.show((width) => draw({ ...given, get, width }), 4000, given.ratio);
      if (typeof shown === "string") return shown;
      scene = shown;
      tell(shown);
      shell.read("");
      return shown;
    },
  };

  /** Whether nobody could hear what is clicked: in a saved page, and where the kernel is gone. */
  function alone(): boolean {
    return !connected || shell.store()?.status().state === "saved";
  }

  function greet() {
    if (!alone()) commands.send({ kind: "hello" });
  }
}
