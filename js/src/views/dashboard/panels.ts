/** The panels: views of their own, mounted without what the dashboard has for all of them. */

import type { Host, RenderProps } from "@anywidget/types";
import { type Paged, pictureOf } from "../../scene/still.ts";
import { element } from "../../shell/element.ts";
import type { Mounted, Shell, Still } from "../../shell/mount.ts";
import { arranged, ROW } from "./arrange.ts";
import { noteOf } from "./scene.ts";

/** Pixels that the curves of a training come to take: until there are some, the panel is placed as if it had them. */
const CURVES = 450;

/** A panel as Python names it. */
interface Named {
  name: string;
  title: string;
  wide: boolean;
  /** It can be folded away. */
  folds: boolean;
}

interface Exports {
  render(kind: string, props: RenderProps): void;
}

interface Line {
  words: string;
  chosen: boolean;
  warns: boolean;
}

const NOTHING: Line = { words: "", chosen: false, warns: false };

export interface Panels {
  element: HTMLElement;
  fold(folded: boolean): void;
  /** What there is to read, of the panel that is pointed at before others. */
  line(): Line;
  pictures(): Paged[];
}

export function createPanels(shell: Shell, host: Host): Panels {
  const { document, get, signal } = shell;
  const root = element(document, "div", "kw-panels");
  root.style.gridAutoRows = `${ROW}px`;
  const refs = (get("parts") ?? []) as string[];
  const named = (get("panels_shown") ?? []) as Named[];
  const lines = refs.map(() => NOTHING);
  const stills: (() => Still | null)[] = [];
  const sides = new Map<number, number>();
  let active = 0;

  const sections = refs.map((ref, number) => {
    const { title, name, folds } = named[number];
    const section = element(document, "section", "kw-panel", root);
    section.dataset.panel = name;
    section.setAttribute("aria-label", title);
    const head = element(document, "div", "kw-panel-head", section);
    const inside = element(document, "div", "kw-panel-inside", section);
    const folder = folds ? createFolder(head, title) : null;
    if (!folder) head.textContent = title;
    for (const event of ["pointerenter", "focusin"]) {
      section.addEventListener(event, () => point(number), { signal });
    }
    void mount(ref, number, inside);
    return { section, inside, folder };
  });
  const sizes = new ResizeObserver(arrange);
  for (const { section } of sections) sizes.observe(section);
  signal.addEventListener("abort", () => sizes.disconnect(), { once: true });

  function createFolder(head: HTMLElement, title: string) {
    const folder = element(document, "button", "kw-folder", head);
    folder.type = "button";
    folder.textContent = title;
    folder.title = "Fold this panel away, or show it again";
    folder.addEventListener("click", () => shell.choose("folded", get("folded") !== true), {
      signal,
    });
    return folder;
  }

  async function mount(ref: string, number: number, el: HTMLElement) {
    try {
      const model = await host.getModel(ref);
      const { exports } = await host.getWidget<Exports>(String(model.get("stream")));
      if (signal.aborted) return;
      const within = {
        read(words: string, chosen = false, warns = false) {
          const { words: before, chosen: was, warns: did } = lines[number];
          if (words === before && chosen === was && warns === did) return;
          lines[number] = { words, chosen, warns };
          shell.schedule();
        },
        says: (remark: string) => remark !== "" && remark === noteIn(shell),
        saves(still: () => Still | null) {
          stills[number] = still;
        },
      };
      const props = { model, el, host, signal, within } as unknown as Mounted;
      exports.render(String(model.get("kind")), props);
    } catch (error) {
      if (signal.aborted) return;
      const said = element(document, "div", "kw-message", el);
      said.textContent = `This panel cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }

  function point(number: number) {
    if (active === number) return;
    active = number;
    shell.schedule();
  }

  /** One column ignores these places: see the style sheet. */
  function arrange() {
    const heights = sections.map(({ section, inside }, k) => {
      return { height: heightOf(section, inside, named[k]), wide: named[k].wide };
    });
    arranged(heights, sides).forEach(({ column, row, span }, k) => {
      const { style } = sections[k].section;
      if (style.gridColumn !== column) style.gridColumn = column;
      const rows = `${row} / span ${span}`;
      if (style.gridRow !== rows) style.gridRow = rows;
    });
  }

  return {
    element: root,
    fold(folded) {
      for (const { inside, folder } of sections) {
        if (!folder) continue;
        inside.hidden = folded;
        const open = String(!folded);
        if (folder.getAttribute("aria-expanded") !== open) {
          folder.setAttribute("aria-expanded", open);
        }
      }
    },
    line: () =>
      lines.find(({ warns }) => warns) ??
      [lines[active] ?? NOTHING, ...lines].find(({ words }) => words !== "") ??
      NOTHING,
    pictures: () =>
      stills.flatMap((still, k) => {
        const shown = sections[k].inside.hidden ? null : still();
        return shown ? [pictureOf(shown.scene, shown.theme)] : [];
      }),
  };
}

function heightOf(section: HTMLElement, inside: HTMLElement, { name }: Named): number {
  const curves = name === "training" && !inside.hidden ? CURVES : 0;
  return Math.max(section.offsetHeight, curves);
}

function noteIn({ get, store }: Shell): string {
  const shown = store();
  return shown ? noteOf({ get, store: shown }) : "";
}
