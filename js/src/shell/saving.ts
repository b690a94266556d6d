/** The buttons that save a scene as a PNG or an SVG, and the one that puts its view beside the notebook. */

import type { AnyModel } from "@anywidget/types";
import type { Scene } from "../scene/marks.ts";
import { rect } from "../scene/shapes.ts";
import { pictureOf, stackedSvg } from "../scene/still.ts";
import type { Theme } from "../scene/theme.ts";
import { hear } from "../wire/hear.ts";
import { createPainter, encoderOf } from "./canvas.ts";
import { createKit } from "./controls.ts";
import { download, element, putAttributes } from "./element.ts";

/** What tests may ask of the buttons, as `element.kwSave`. */
export interface SaveElement extends HTMLElement {
  kwSave: { svg(): string | null; png(): Promise<Blob | null> };
}

/** `still` gives what is saved, null while there is nothing; `name` the file's name without its ending. */
export function createSaving(
  document: Document,
  still: () => { scene: Scene; theme: Theme } | null,
  name: () => string,
  signal: AbortSignal,
): HTMLElement {
  const kit = createKit(document, signal);
  const box = element(document, "span", "kw-save") as unknown as SaveElement;
  putAttributes(box, { role: "group", "aria-label": "Save what is shown" });
  const svg = () => {
    const shown = still();
    const pictures = shown && [pictureOf(shown.scene, shown.theme)];
    return pictures && stackedSvg(pictures, shown.theme, encoderOf(document));
  };
  const png = async () => {
    const shown = still();
    return shown && pngOf(document, shown.scene, shown.theme);
  };
  const save = (blob: Blob | null, ending: string) => {
    if (blob) download(document, blob, `${fileName(name())}.${ending}`);
  };
  const asSvg = () => {
    const text = svg();
    save(text ? new Blob([text], { type: "image/svg+xml" }) : null, "svg");
  };
  box.append(
    kit.button("PNG", "Save what is shown as a PNG", "kw-save-button", async () =>
      save(await png(), "png"),
    ),
    kit.button("SVG", "Save what is shown as an SVG", "kw-save-button", asSvg),
  );
  box.kwSave = { svg, png };
  return box;
}

/** The button that has Python show a view beside the notebook; why that cannot be goes to `warn`. */
export function createBeside(
  { document, model, signal }: { document: Document; model: AnyModel; signal: AbortSignal },
  warn: (words: string) => void,
  className: string,
) {
  const title = "Show this beside the notebook, where it stays in sight";
  const dock = () => model.send({ kind: "dock" });
  const beside = createKit(document, signal).button("beside", title, className, dock);
  const told = (content: unknown) => typeof content === "string" && warn(content);
  hear(model, { "msg:custom": told }, signal);
  return beside;
}

/** A name that every file system takes. */
export function fileName(name: string): string {
  return (
    name
      .normalize("NFC")
      .replace(/[^\p{L}\p{N}._-]+/gu, "-")
      .replace(/^[-.]+|[-.]+$/g, "")
      .slice(0, 100) || "kan-widgets"
  );
}

/** The scene as a PNG, at the screen's own pixels. */
function pngOf(document: Document, scene: Scene, theme: Theme): Promise<Blob | null> {
  const { marks, width, height } = pictureOf(scene, theme);
  const canvas = document.createElement("canvas");
  const paper = { x: 0, y: 0, width, height };
  const sheet = { marks: () => [rect(paper, { fill: theme.colours.surface }), ...marks] };
  const ratio = document.defaultView?.devicePixelRatio || 1;
  createPainter(canvas).paint({ sheets: [sheet] }, paper, ratio);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
