/** Legend: its scene on a stage; nothing in it can be changed. */

import type { RenderProps } from "@anywidget/types";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { createStage } from "../../shell/stage.ts";
import { drawing } from "./scene.ts";

const KIND: Kind = { name: "legend", label: "Legend", traits: [], timeless: true, drawing };

export { drawing };

export function render(props: RenderProps): void {
  mountView(KIND, props, build);
}

function build(shell: Shell): Parts {
  const { document, signal } = shell;
  const draw = drawing();
  const hands = {
    moved: shell.schedule,
    press: shell.speak,
    arrived: shell.speak,
    cursor: () => "default",
  };
  const stage = createStage(document, hands, signal);
  return {
    body: stage.element,
    width: stage.width,
    fileName: () => "legend",
    draw(given) {
      const pointed = stage.pointed();
      const make = (width: number) => draw({ ...given, width, pointed });
      return stage.show(make, given.height, given.ratio);
    },
  };
}
