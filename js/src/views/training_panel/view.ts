/** TrainingPanel: the switch of a training, its numbers and its curves. */

import { type ChartControl, createChartBar, createChartHands } from "../../shell/chart_hands.ts";
import { element, listen, putAttributes } from "../../shell/element.ts";
import { type Kind, type Parts, type Shell, type ViewElement, viewOf } from "../../shell/mount.ts";
import { createViewStage } from "../../shell/stage.ts";
import { createControls, type Send } from "./controls.ts";
import { createAlarms, createNotes } from "./notes.ts";
import { barBox, drawing, type PanelScene, shareDone } from "./scene.ts";
import { statusIn } from "./status.ts";
import css from "./style.css";

export type PanelElement = ViewElement<PanelScene, ReturnType<ChartControl["forTests"]>>;

const KIND: Kind = {
  name: "training_panel",
  label: "Training panel",
  timeless: true,
  drawing,
};

export { css, drawing };

export const render = viewOf(KIND, build);

function build(shell: Shell): Parts {
  const { document, signal } = shell;
  const draw = drawing();
  const send: Send = (command) => shell.store()?.steering.send(command);
  const controls = createControls(shell, send);
  const alarms = createAlarms(document, send, signal);
  const notes = createNotes(document);
  let scene: PanelScene | null = null;
  const hands = createChartHands(shell, () => scene, draw);
  const bar = createChartBar(shell, hands);
  let lastState = "";

  const stage = createViewStage(shell, {
    ...hands.on(() => stage.pointed().at),
    cursor: () => "crosshair",
  });
  const progress = element(document, "div", "kw-progress", stage.page);
  putAttributes(progress, { role: "progressbar", "aria-label": "Progress" });
  const body = element(document, "div", "kw-body");
  body.append(alarms.element, notes.element, stage.element);
  const header = element(document, "div", "kw-header");
  header.append(controls.element, bar.element);

  /** Says how far it is, and in which state when that changes, to those who listen. */
  function tell({ status, standing: { words: state }, width }: PanelScene) {
    const share = shareDone(status);
    progress.hidden = share === null;
    if (share !== null) {
      const { x, y, width: length, height } = barBox(width);
      progress.style.cssText = `left:${x}px;top:${y}px;width:${length}px;height:${height}px`;
      progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    }
    if (lastState && state !== lastState) shell.speak(state);
    lastState = state;
  }

  listen(shell.root, signal, { keydown: controls.key });

  return {
    forTests: hands.forTests(stage),
    header,
    stage,
    body,
    fileName: () => `training-panel step ${scene?.status.step ?? ""}`,
    draw(given) {
      const { store } = given;
      const status = statusIn(given.get);
      const alone = store.alone();
      controls.show(status, alone);
      const saved = store.status().state === "saved";
      alarms.show(status, !alone && !status.closed && status.steered, saved);
      // On a page of its own nobody expects to steer a training.
      notes.show(status, alone && !saved, store.standing());
      bar.show(given.get);
      const shown = stage.show(given, 4000, draw);
      if (typeof shown === "string") return shown;
      scene = shown;
      bar.element.hidden = shown.chart.panels.length === 0;
      tell(shown);
      shell.read("");
      return shown;
    },
  };
}
