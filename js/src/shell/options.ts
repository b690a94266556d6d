/** Controls of a header that are declared, one entry for each: its trait, what it says, and when it is shown. */

import { createKit, type Item } from "./controls.ts";
import type { Shell } from "./mount.ts";

type Options = readonly (Item & { title?: string })[];

export interface Option<State> {
  trait: string;
  /** The words beside a menu or a switch, or the name of a group of segments. */
  label: string;
  title: string;
  as?: "menu" | "segments";
  /** What can be chosen; a control without is a switch. */
  options?: Options | ((state: State) => Options);
  /** What is chosen; by default what the state has by the name of the trait. */
  value?(state: State): string | boolean;
  shown?(state: State): boolean;
  /** What a trait is set to where something was chosen; that value by default. */
  chosen?(value: string): unknown;
}

export const entries = (values: readonly (string | number)[]): Options =>
  values.map((value) => ({ value: String(value), label: String(value) }));

/** Makes the controls, by their traits; `show` changes nothing in the page where nothing differs. */
export function createOptions<State>(
  shell: Pick<Shell, "document" | "signal" | "hosted" | "choose">,
  list: readonly Option<State>[],
  choose = shell.choose,
) {
  const { document, signal, hosted } = shell;
  const kit = createKit(document, signal);
  const controls = list.map((option) => {
    const { trait, label, title, as = "menu", options, chosen = (value) => value } = option;
    const chosenIn = (state: State) => option.value?.(state) ?? state[trait as keyof State];
    if (!options) {
      const control = kit.check(label, title, (value) => choose(trait, value));
      return {
        option,
        box: control.box,
        show: (state: State) => control.set(!!chosenIn(state)),
      };
    }
    const pick = (value: string) => choose(trait, chosen(value));
    // In a host, where little is to be in sight, a menu stands for segments.
    const isMenu = as === "menu" || hosted;
    const words = as === "menu" ? [label, title] : ["", label];
    const control = isMenu ? kit.select(words[0], words[1], pick) : kit.segments(label, pick);
    let shownItems = "";
    const show = (state: State) => {
      // Filled again only where the items differ: a menu that is open would close.
      const items = typeof options === "function" ? options(state) : options;
      const text = JSON.stringify(items);
      if (text !== shownItems) control.fill(items);
      shownItems = text;
      control.set(String(chosenIn(state)));
    };
    return { option, box: control.box, show };
  });
  return {
    kit,
    boxes: controls.map(({ box }) => box),
    box: (trait: string) => controls.find(({ option }) => option.trait === trait)?.box,
    show(state: State) {
      for (const { option, box, show } of controls) {
        show(state);
        box.hidden = option.shown?.(state) === false;
      }
    },
  };
}
