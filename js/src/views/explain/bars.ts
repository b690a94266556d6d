/** The sorted list of shares: a name, a bar from zero, a number. */

import { element, put, putOrHide } from "../../shell/element.ts";
import { type Bar, barsOf, besideText, type Part, restText, signed } from "./content.ts";

export interface BarList {
  element: HTMLElement;
  show(part: Part, top: number, selected: number): void;
}

export function createBars(
  document: Document,
  choose: (number: number) => void,
  signal: AbortSignal,
): BarList {
  const root = element(document, "div", "kw-bars");
  const head = element(document, "div", "kw-bars-key", root);
  const list = element(document, "ol", "kw-bar-list", root);
  const rest = element(document, "div", "kw-rest", root);
  list.setAttribute("aria-label", "Largest shares");
  let shown: { part: Part; bars: Bar[] } | null = null;

  list.addEventListener(
    "click",
    (event) => {
      const row = (event.target as Element).closest<HTMLElement>(".kw-bar");
      if (row) choose(Number(row.dataset.number));
    },
    { signal },
  );

  function build(bars: readonly Bar[], part: Part) {
    const all = [0, ...bars.map(({ value }) => value), ...known(bars)];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const unit = 100 / (high - low || 1);
    const zero = -low * unit;
    list.replaceChildren(
      ...bars.map((bar) => {
        const item = element(document, "li", "kw-bar-item");
        const row = element(document, "button", "kw-bar", item);
        row.type = "button";
        row.dataset.number = String(bar.number);
        const beside = besideText(part, bar);
        row.title = `${bar.name}: ${signed(bar.value)}${beside && `, ${beside}`}`;
        element(document, "span", "kw-bar-name", row).textContent = bar.name;
        const track = element(document, "span", "kw-track", row);
        element(document, "span", "kw-zero", track).style.left = `${zero}%`;
        const fill = element(document, "span", bar.value < 0 ? "kw-less" : "kw-more", track);
        const share = unit * Math.abs(bar.value);
        fill.style.width = `${share}%`;
        fill.style.left = `${bar.value < 0 ? zero - share : zero}%`;
        if (!Number.isNaN(bar.beside)) {
          const mark = element(document, "span", "kw-beside", track);
          mark.style.left = `${zero + unit * bar.beside}%`;
        }
        element(document, "span", "kw-bar-value", row).textContent = signed(bar.value);
        return item;
      }),
    );
  }

  return {
    element: root,
    show(part, top, selected) {
      const bars = barsOf(part, top, selected);
      const same =
        shown?.part === part &&
        shown.bars.length === bars.length &&
        shown.bars.every((bar, k) => bar.number === bars[k].number);
      if (!same) build(bars, part);
      shown = { part, bars };
      for (const row of list.querySelectorAll<HTMLElement>(".kw-bar")) {
        const chosen = Number(row.dataset.number) === selected;
        row.classList.toggle("kw-chosen", chosen);
        row.setAttribute("aria-pressed", String(chosen));
        if (chosen) reveal(list, row);
      }
      putOrHide(head, part.beside ? part.besideLabel : "");
      put(rest, restText(part, bars));
    },
  };
}

function known(bars: readonly Bar[]): number[] {
  return bars.map(({ beside }) => beside).filter((value) => !Number.isNaN(value));
}

/** Scrolls the list and not the page. */
function reveal(list: HTMLElement, row: HTMLElement): void {
  const top = row.offsetTop - list.offsetTop;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + row.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = top + row.offsetHeight - list.clientHeight;
  }
}
