/** The legend: what is drawn, each row a switch, with coefficient and value where it is read. */

import { element, put } from "../../shell/element.ts";

export interface Row {
  key: string;
  label: string;
  title: string;
  colour: string;
  look: "line" | "thin" | "dashes" | "point" | "knot" | "bars" | "none";
  on: boolean;
  /** Indented: a part of the row above. */
  nested: boolean;
  coefficient: string;
  value: string;
  /** Can be taken away. */
  removable: boolean;
  /** A long label: it takes as many lines as it needs. */
  wraps?: boolean;
}

export interface Legend {
  element: HTMLElement;
  show(rows: readonly Row[], x: string): void;
}

/** Below a narrow drawing the rows stand in columns. */
const MOST_COLUMNS = 3;

/** `toggle` is told which row was switched, `remove` which pin was taken away. */
export function createLegend(
  document: Document,
  toggle: (key: string) => void,
  remove: (key: string) => void,
  signal: AbortSignal,
): Legend {
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className: string) =>
    element(document, tag, className);
  const root = make("div", "kw-legend");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "What is drawn");
  const heads = root.appendChild(make("div", "kw-legend-heads"));
  const ats = Array.from({ length: MOST_COLUMNS }, () => {
    const head = heads.appendChild(make("div", "kw-legend-head"));
    for (const text of ["term", "weight"]) {
      element(document, "span", "kw-legend-cell", head).textContent = text;
    }
    return element(document, "span", "kw-legend-cell", head);
  });
  const list = root.appendChild(make("div", "kw-legend-rows"));
  let keys = "";
  let parts: {
    button: HTMLButtonElement;
    swatch: HTMLElement;
    coefficient: HTMLElement;
    value: HTMLElement;
  }[] = [];

  list.addEventListener(
    "click",
    (event) => {
      const target = event.target as HTMLElement;
      const away = target.closest<HTMLElement>(".kw-legend-remove");
      if (away) return remove(away.dataset.key ?? "");
      const button = target.closest<HTMLButtonElement>(".kw-legend-row");
      if (button) toggle(button.dataset.key ?? "");
    },
    { signal },
  );
  list.addEventListener(
    "keydown",
    (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const here = parts.findIndex(({ button }) => button === event.target);
      const next = parts[here + step];
      if (here < 0 || !next) return;
      event.preventDefault();
      event.stopPropagation();
      next.button.focus();
    },
    { signal },
  );

  function build(rows: readonly Row[]) {
    const focused = root.querySelector<HTMLElement>(":focus")?.dataset.key;
    parts = rows.map((row) => {
      const button = make("button", "kw-legend-row");
      button.type = "button";
      button.dataset.key = row.key;
      button.toggleAttribute("data-nested", row.nested);
      button.toggleAttribute("data-wraps", row.wraps === true);
      const swatch = button.appendChild(make("span", "kw-legend-swatch"));
      button.appendChild(make("span", "kw-legend-label")).textContent = row.label;
      const coefficient = button.appendChild(make("span", "kw-legend-number"));
      const value = button.appendChild(make("span", "kw-legend-number"));
      // The numbers change with every frame: they are no part of the button's name.
      for (const one of [coefficient, value]) one.setAttribute("aria-hidden", "true");
      return { button, swatch, coefficient, value };
    });
    list.replaceChildren(
      ...rows.map((row, k): HTMLElement => {
        if (!row.removable) return parts[k].button;
        const holder = make("div", "kw-legend-pin");
        const away = make("button", "kw-legend-remove");
        away.type = "button";
        away.dataset.key = row.key;
        away.textContent = "×";
        away.title = `${row.key.startsWith("pin:") ? "Unpin" : "Remove"} ${row.label}`;
        away.setAttribute("aria-label", away.title);
        holder.append(parts[k].button, away);
        return holder;
      }),
    );
    if (focused) parts.find(({ button }) => button.dataset.key === focused)?.button.focus();
  }

  return {
    element: root,
    show(rows, x) {
      const now = JSON.stringify(rows.map(({ key, label, nested }) => [key, label, nested]));
      if (now !== keys) {
        keys = now;
        build(rows);
      }
      for (const at of ats) put(at, x);
      rows.forEach((row, k) => {
        const { button, swatch, coefficient, value } = parts[k];
        const on = String(row.on);
        if (button.getAttribute("aria-pressed") !== on) button.setAttribute("aria-pressed", on);
        if (button.title !== row.title) button.title = row.title;
        if (swatch.dataset.look !== row.look) swatch.dataset.look = row.look;
        if (swatch.dataset.colour !== row.colour) {
          swatch.dataset.colour = row.colour;
          swatch.style.color = row.colour;
        }
        button.toggleAttribute("data-wide", row.coefficient === "");
        put(coefficient, row.coefficient);
        put(value, row.value);
      });
    },
  };
}
