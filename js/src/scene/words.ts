/** All words of a scene, in the order in which a picture of it has them. */

import type { Mark, Scene } from "./marks.ts";

export function wordsOf(scene: Scene): string[] {
  const whole = { x: 0, y: 0, width: scene.width, height: scene.height };
  return [
    scene.title,
    scene.moment,
    ...scene.caption.map(({ text }) => text),
    ...scene.sheets.flatMap((sheet) => textsIn(sheet.marks(whole))),
  ];
}

function textsIn(marks: readonly Mark[]): string[] {
  return marks.flatMap((mark) => {
    if (mark.kind === "text") return [mark.text];
    return mark.kind === "group" ? textsIn(mark.marks) : [];
  });
}
