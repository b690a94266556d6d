/** What lies over one bqplot figure: title and values, the line under the mouse, the band of a zoom, the marks' texts. */

import { formatCount, formatNumber } from "../shared/format.ts";
import { type Curve, fitting, type Span, shareOf, valueAt } from "./curves.ts";

export interface Content {
  title: string;
  names: readonly string[];
  colours: readonly number[];
  /** The value that each curve was given last, whatever is drawn of it. */
  latest: readonly string[];
  /** The curves as they were logged. */
  curves: readonly Curve[];
  /** Their means over some steps; nowhere where none are drawn. */
  means: readonly Curve[];
  marks: readonly (readonly [number, string])[];
  span: Span;
  /** The step under the mouse. */
  step: number | null;
  /** Shares of the width between which a zoom is being dragged. */
  band: readonly [number, number] | null;
}

export interface Overlay {
  element: HTMLElement;
  paint(content: Content): void;
  /** What stands in the head, as a sentence. */
  words(): string;
  /** The plot's rectangle in client pixels; null while there is none. */
  plot(): DOMRect | null;
}

export function createOverlay(figure: HTMLElement): Overlay {
  const document = figure.ownerDocument;
  const make = (name: string, parent?: Node) => {
    const made = document.createElement("div");
    made.className = name;
    parent?.appendChild(made);
    return made;
  };
  const element = make("kw-over");
  const head = make("kw-over-head", element);
  const line = make("kw-over-line", element);
  const band = make("kw-over-band", element);
  const texts = make("kw-over-marks", element);
  line.hidden = band.hidden = true;
  figure.appendChild(element);
  let written = "";
  let said = "";

  function plot(): DOMRect | null {
    const rect = figure.querySelector(".plotarea_events")?.getBoundingClientRect();
    return rect && rect.width > 0 ? rect : null;
  }

  function paint(content: Content) {
    const { title, names, colours, curves, means, step, span } = content;
    const slack = 0.02 * (span[1] - span[0]);
    const entries = names.map((name, k) => {
      const at = (of: readonly Curve[]) =>
        step === null || !of[k] ? null : valueAt(of[k], step, slack);
      const [point, mean] = [at(curves), at(means)];
      const here = step === null ? content.latest[k] : point && formatNumber(point.value);
      return {
        name: name === title ? "" : name,
        colour: colours[k],
        value: here || "–",
        mean: mean ? `(mean ${formatNumber(mean.value)})` : "",
        at: point?.step,
      };
    });
    const at = step === null ? undefined : entries.find((entry) => entry.at !== undefined)?.at;
    const where = at === undefined ? "" : `step ${formatCount(Math.round(at))}`;
    const values = entries.map(({ name, value }) => `${name || title} ${value}`);
    said = [where, ...values].filter((text) => text).join(", ");
    const state = JSON.stringify([title, entries, where]);
    if (state !== written) {
      written = state;
      const name = document.createElement("b");
      name.textContent = title;
      head.replaceChildren(
        name,
        ...entries.map((entry) => {
          const item = make("kw-over-entry");
          item.style.setProperty("--kw-own", `var(--kw-curve-${entry.colour})`);
          item.append(`${entry.name} `);
          const value = document.createElement("span");
          value.className = "kw-over-value";
          value.textContent = entry.value;
          item.append(value);
          if (entry.mean) item.append(` ${entry.mean}`);
          return item;
        }),
      );
      if (where) make("kw-over-step", head).textContent = where;
      head.title = values.join("\n");
    }

    const area = plot();
    const own = element.getBoundingClientRect();
    line.hidden = !area || at === undefined || shareOf(span, at) < 0 || shareOf(span, at) > 1;
    band.hidden = !area || !content.band;
    texts.hidden = !area;
    if (!area) return;
    const [left, top] = [area.left - own.left, area.top - own.top];
    if (!line.hidden && at !== undefined) {
      line.style.transform = `translate(${left + shareOf(span, at) * area.width}px, ${top}px)`;
      line.style.height = `${area.height}px`;
    }
    if (content.band) {
      const [a, b] = [...content.band].sort((p, q) => p - q);
      band.style.transform = `translate(${left + a * area.width}px, ${top}px)`;
      band.style.width = `${(b - a) * area.width}px`;
      band.style.height = `${area.height}px`;
    }
    paintMarks(content, left, top, area.width);
  }

  function paintMarks({ marks, span }: Content, left: number, top: number, width: number) {
    const shown = marks.filter(([step]) => step >= span[0] && step <= span[1]);
    const places = shown.map(([step]) => left + shareOf(span, step) * width + 3);
    const fits = fitting(
      places,
      shown.map(([, text]) => 5.6 * text.length),
      left + width,
    );
    const wanted = shown.flatMap(([, text], k) => (fits[k] ? [{ text, x: places[k] }] : []));
    while (texts.children.length > wanted.length) texts.lastChild?.remove();
    wanted.forEach(({ text, x }, k) => {
      const item = (texts.children[k] as HTMLElement) ?? make("kw-over-mark", texts);
      if (item.textContent !== text) item.textContent = text;
      item.style.transform = `translate(${x}px, ${top + 1}px)`;
    });
  }

  return { element, paint, words: () => said, plot };
}
