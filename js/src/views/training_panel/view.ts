/** TrainingPanel: the switch of a training, its numbers and its curves. */

import { createChartBar, createChartHands, type Hands } from "../../shell/chart_hands.ts";
import { atEnd, element, listen, putAttributes } from "../../shell/element.ts";
import { type Kind, type Parts, type Shell, viewOf } from "../../shell/mount.ts";
import { createStage, type Stage } from "../../shell/stage.ts";
import { hear } from "../../wire/hear.ts";
import { watchKernel } from "../../wire/jupyter_kernel.ts";
import { createCommands } from "./commands.ts";
import { createControls } from "./controls.ts";
import { createAlarms, createNotes } from "./notes.ts";
import { barBox, drawing, type PanelScene, shareDone } from "./scene.ts";
import { type Status, statusIn } from "./status.ts";
import css from "./style.css";

export type PanelElement = HTMLElement & { kwPanel: ReturnType<typeof asked> };

const KIND: Kind = {
  name: "training_panel",
  label: "Training panel",
  timeless: true,
  drawing,
};

export { css, drawing };

export const render = viewOf(KIND, build);

function build(shell: Shell): Parts {
  const { document, signal, model } = shell;
  const draw = drawing();
  const commands = createCommands((content) => model.send(content), shell.schedule);
  const controls = createControls(document, commands, known, signal);
  const alarms = createAlarms(document, commands, signal);
  const notes = createNotes(document, commands);
  let scene: PanelScene | null = null;
  const hands = createChartHands(shell, () => scene, draw);
  const bar = createChartBar(shell, hands);
  let answered: Status | null = null;
  let connected = true;
  let told = "";

  const stage = createStage(
    document,
    { ...hands.on(() => stage.pointed().at), cursor: () => "crosshair" },
    signal,
  );
  const progress = element(document, "div", "kw-progress", stage.page);
  putAttributes(progress, { role: "progressbar", "aria-label": "Progress" });
  const body = element(document, "div", "kw-body");
  body.append(alarms.element, notes.element, stage.element);
  const header = element(document, "div", "kw-header");
  header.append(controls.element, bar.element);

  function known(): Status {
    return answered ?? statusIn(shell.get);
  }

  /** Says how far it is, and in which state when that changes, to those who listen. */
  function tell({ status, standing: { words: state }, width }: PanelScene) {
    const share = shareDone(status);
    progress.hidden = share === null;
    if (share !== null) {
      const { x, y, width: length, height } = barBox(width);
      progress.style.cssText = `left:${x}px;top:${y}px;width:${length}px;height:${height}px`;
      progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    }
    if (told && state !== told) shell.speak(state);
    told = state;
  }

  const heard = (content: unknown) => {
    answered = commands.take(content) ?? answered;
    shell.schedule();
  };
  hear(model, { "msg:custom": heard }, signal);
  listen(shell.root, signal, { keydown: controls.key });
  const meet = (there: boolean) => {
    connected = there;
    shell.schedule();
  };
  void watchKernel(model, shell.get("_own"), meet, signal);
  atEnd(signal, commands.stop);

  return {
    asked: { kwPanel: asked(known, () => scene, hands, stage) },
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
      alarms.show(status, !alone() && !status.closed && status.steered);
      // On a page of its own nobody expects to steer a training.
      const { store } = given;
      notes.show(status, alone() && store.status().state !== "saved", store.standing());
      bar.show(given.get);
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

/** What tests may ask of a view, as `element.kwPanel`. */
function asked(status: () => Status, scene: () => PanelScene | null, hands: Hands, stage: Stage) {
  return {
    status,
    scene,
    ...hands.asked(stage),
  };
}
