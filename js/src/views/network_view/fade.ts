/** Where the strongest path changes, its ribbons fade from what they were to what they are; words, boxes and axes change at once. */

import type { Mark, Sheet } from "../../scene/marks.ts";
import type { NetworkScene } from "./scene.ts";

/** How long that takes. Frames that come show its steps; where none comes it begins half way, and has one step. */
export const FADE = 220;
const STILL = "(prefers-reduced-motion: reduce)";

/** What the path is, where nothing is pointed at or selected. */
function pathOf({ legs, isLookedAt }: NetworkScene): string {
  return isLookedAt ? "" : JSON.stringify(legs);
}

/** Whether both scenes are of the same network, in the same place. */
function isAlike(a: NetworkScene, b: NetworkScene): boolean {
  const at = ({ width, height, about, diagram: { window } }: NetworkScene) =>
    JSON.stringify([width, height, about, window]);
  return at(a) === at(b);
}

/** `again` draws once more when the change is over, unless a frame does before. */
export function createFade(window: Pick<Window, "matchMedia"> | null, again: () => void) {
  let last: NetworkScene | null = null;
  let before: { scene: NetworkScene; since: number } | null = null;

  return (scene: NetworkScene): NetworkScene => {
    const isOther = last !== null && pathOf(last) !== pathOf(scene);
    const fades = isOther && pathOf(scene) !== "" && pathOf(last as NetworkScene) !== "";
    if (fades && !window?.matchMedia?.(STILL).matches) {
      before = { scene: last as NetworkScene, since: performance.now() };
    } else if (isOther) before = null;
    last = scene;
    const share = before ? 0.5 + (performance.now() - before.since) / (2 * FADE) : 1;
    if (!before || share >= 1 || !isAlike(before.scene, scene)) {
      before = null;
      return scene;
    }
    again();
    const { ribbons: old } = before.scene;
    const { ribbons, width, height } = scene;
    const at = (one: Sheet, opacity: number): Mark => {
      return { kind: "group", opacity, marks: one.marks({ x: 0, y: 0, width, height }) };
    };
    const faded = { marks: () => [at(old, 1 - share), at(ribbons, share)] };
    return { ...scene, sheets: scene.sheets.map((one) => (one === ribbons ? faded : one)) };
  };
}
