/** The hands on a pair: clicks set x, then y, then x again. */

import { STEPS } from "../../phi/geometry.ts";
import { entryIn, partnerOf, selectionIn } from "../../phi/pair.ts";
import { cellOf, idOf } from "../../scene/regions.ts";
import { DIRECTIONS } from "../../shell/keys.ts";
import type { Shell } from "../../shell/mount.ts";
import { clearedBy } from "../../shell/picking.ts";
import type { Stage } from "../../shell/stage.ts";
import type { Axis } from "./controls.ts";
import { entryName, type PairScene, READINGS } from "./pair_scene.ts";

/** With Shift the arrows go so many steps over the surface. */
const LEAP = 4;

export function createPairHands(shell: Shell, stage: Stage) {
  let axis: Axis = "x";

  function entryAt({ pair }: PairScene, id: string): number {
    const cell = cellOf(id);
    return cell?.name === "kernel" ? cell.row * pair.group.columns + cell.column : -1;
  }

  function setEntry({ layer, pair, settings }: PairScene, which: Axis, entry: number) {
    const store = shell.store();
    if (!store || entry < 0) return;
    const { group } = pair;
    if (which === "x") {
      // The other one stays where it is, also where it was only the opposite of the first.
      const before = entryIn(layer, group, store.selection());
      const partner = partnerOf(group, before, settings.other);
      if (settings.other < 0) shell.choose("other", partner === entry ? before : partner);
      store.select(selectionIn(layer, group, entry));
    } else {
      shell.choose("other", entry);
      if (store.selection()?.layer !== layer.name) {
        store.select(selectionIn(layer, group, entryIn(layer, group, null)));
      }
    }
    axis = which === "x" ? "y" : "x";
    shell.speak(`${which} is ${entryName(layer, group, entry)}`);
    shell.schedule();
  }

  return {
    axis: () => axis,
    setAxis(next: Axis) {
      axis = next;
      shell.schedule();
    },
    press: (scene: PairScene, id: string) => setEntry(scene, axis, entryAt(scene, id)),
    key(scene: PairScene, event: KeyboardEvent, id: string): boolean {
      if (event.key === "x" || event.key === "y") {
        setEntry(scene, event.key, entryAt(scene, id));
        return true;
      }
      if (clearedBy(event, shell)) return true;
      const cell = cellOf(id);
      const direction = DIRECTIONS[event.key];
      if (!event.shiftKey || !direction || cell?.name !== "plot") return false;
      const [across, down] = STEPS[direction];
      const to = (at: number, by: number) => Math.max(0, Math.min(READINGS - 1, at + LEAP * by));
      const next = idOf({
        name: cell.name,
        row: to(cell.row, down),
        column: to(cell.column, across),
      });
      stage.keyboardAt(next);
      shell.speak(scene.sites.words(next));
      return true;
    },
  };
}
