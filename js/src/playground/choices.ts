/** The playground's controls: what is learned, by which network, and what the reader takes along. */

import { element, listen, putAttributes, putWords } from "../shell/element.ts";
import type { News } from "../training/worker.ts";
import type { Made } from "./network.ts";
import type { Problem } from "./problems.ts";
import {
  defaultsOf,
  LIMITS,
  type NumberName,
  type State,
  widthsExpected,
  widthsOf,
} from "./state.ts";

interface Actions {
  choose(state: State): void;
  /** A table was dropped, or chosen. */
  drop(text: string): void;
  /** The page's address with the state in it. */
  link(): string;
  code(): string;
  save(): void;
}

const PROBLEM_WORDS: Record<State["problem"], string> = {
  digits: "handwritten digits",
  product: "x · y · z",
  moons: "two moons",
  spirals: "two spirals",
  formula: "a formula of yours",
  table: "a table of yours (CSV)",
};
const NETWORK_WORDS: Record<State["network"], string> = {
  kancnn: "KAN-CNN",
  article: "the article's KAN-CNN",
  dense: "dense layers",
};
const BASIS_WORDS: Record<State["basis"], string> = {
  bspline: "B-splines",
  rbf: "radial functions",
  chebyshev: "Chebyshev polynomials",
  fourier: "Fourier series",
};
const BASE_WORDS: Record<State["base"], string> = {
  ...{ silu: "SiLU", tanh: "tanh", relu: "ReLU", identity: "x" },
};
const NUMBERS: Record<Exclude<NumberName, "rate" | "batch" | "epochs" | "seed">, string> = {
  grid: "grid intervals",
  order: "spline order",
  start: "spread of splines at the start",
  noise: "noise in the data",
};

/** Makes the controls in `root`, for the whole time of the page. */
export function createChoices(root: HTMLElement, actions: Actions) {
  const document = root.ownerDocument;
  const { signal } = new AbortController();
  const { details, select, field, button } = createMaker(document, signal);
  let state = defaultsOf("digits", "kancnn");

  const row = element(document, "div", "kw-play-row", root);
  const problem = select(row, "learn", PROBLEM_WORDS, (value) =>
    actions.choose(defaultsOf(value, value === "digits" ? "kancnn" : "dense")),
  );
  const formula = field(row, "formula", (text) => change({ formula: text }));
  const file = field(row, "file", () => {
    file.input.files?.[0]?.text().then(actions.drop);
  });
  file.input.type = "file";
  file.input.accept = ".csv,.tsv,.txt,text/csv";
  const network = select(row, "with", NETWORK_WORDS, (value) =>
    actions.choose({ ...defaultsOf("digits", value), noise: state.noise, twin: state.twin }),
  );
  const more = details(row, "more");
  const widths = field(more, "hidden units", (text) => {
    const chosen = widthsOf(text, state.network);
    if (chosen) change({ widths: chosen });
    else refuse(`${widths.label.textContent?.trim()} “${text}”: ${widthsExpected(state.network)}.`);
  });
  const twinLabel = element(document, "label", "kw-play-check", more);
  const twin = element(document, "input", "", twinLabel);
  twin.type = "checkbox";
  const twinWords = element(document, "span", "", twinLabel);
  listen(twin, signal, { change: () => change({ twin: twin.checked }) });

  const basis = select(more, "basis", BASIS_WORDS, (value) => change({ basis: value }));
  const base = select(more, "base term", BASE_WORDS, (value) => change({ base: value }));
  const numbers = Object.entries(NUMBERS).map(([key, words]) => {
    const name = key as keyof typeof NUMBERS;
    const [least, most, step] = LIMITS[name];
    const network = field(more, words, (text) => {
      if (network.input.reportValidity()) change({ [name]: Number(text) });
    });
    Object.assign(network.input, { type: "number", min: least, max: most, step: step || "any" });
    return [name, network] as const;
  });

  // All choices stand beside the bar's button, and its settings with what else is folded away.
  const bar = document.getElementById("kw-bar") as HTMLElement;
  more.append(...bar.querySelectorAll("details label, [data-kw-part=again]"));
  bar.querySelector("details")?.replaceWith(root);
  const take = details(row, "save or share");
  button(take, "Copy link", (self) => copy(self, actions.link()));
  button(take, "Save weights (.npz)", actions.save);
  button(take, "Copy Python", (self) => copy(self, actions.code()));
  const code = element(document, "pre", "kw-play-code", take);
  // It scrolls, also by the keyboard.
  putAttributes(code, { tabindex: "0", role: "region", "aria-label": "Python" });

  // The page's own line on what it shows, and the bar's on how well it does.
  const about = document.querySelector(".kw-page-about") as HTMLElement;
  const alarm = element(document, "p", "kw-play-alarm", root);
  alarm.setAttribute("role", "alert");

  listen(document.body, signal, {
    dragover: (event) => event.preventDefault(),
    drop(event) {
      event.preventDefault();
      event.dataTransfer?.files[0]?.text().then(actions.drop);
    },
  });

  function change(part: Partial<State>): void {
    actions.choose({ ...state, ...part });
  }

  function copy(self: HTMLElement, text: string): void {
    const words = self.textContent ?? "";
    navigator.clipboard.writeText(text).then(
      () => {
        putWords(self, "Copied");
        setTimeout(() => putWords(self, words), 1500);
      },
      () => refuse(`This browser does not let a page copy. It would be: ${text}`),
    );
  }

  function refuse(words: string, isAsked = false): void {
    putWords(alarm, words);
    alarm.classList.toggle("kw-play-asked", isAsked);
  }

  function put(next: State): void {
    state = next;
    problem.input.value = state.problem;
    network.input.value = state.network;
    basis.input.value = state.basis;
    base.input.value = state.base;
    formula.input.value = state.formula;
    widths.input.value = state.widths.join(", ");
    twin.checked = state.twin;
    for (const [name, { input }] of numbers) input.value = String(state[name]);
    formula.label.hidden = state.problem !== "formula";
    file.label.hidden = state.problem !== "table";
    network.label.hidden = state.problem !== "digits";
    const isFixed = state.network === "article";
    widths.label.hidden = isFixed;
    putWords(widths.said, state.network === "kancnn" ? "channels " : "hidden units ");
    basis.input.disabled = base.input.disabled = isFixed;
    for (const [name, { input }] of numbers)
      input.disabled = isFixed && (name === "grid" || name === "order");
    putWords(twinWords, `beside ${state.network === "dense" ? "an MLP" : "a CNN"} of equal size`);
  }

  return {
    /** Says why a state cannot be, or what it asks for, and leaves what runs as it is. */
    refuse(next: State, words: string, isAsked: boolean) {
      put(next);
      refuse(words, isAsked);
    },
    /** Shows a state, and tells how its networks do. */
    show(next: State, { about: told }: Problem, network: Made, beside: Made | null) {
      put(next);
      refuse("");
      const size = ({ name, parameters }: Made) =>
        `${name} with ${parameters.toLocaleString("en")} parameters`;
      const others = beside ? `, beside ${beside.name === "MLP" ? "an" : "a"} ${size(beside)}` : "";
      putWords(about, `${told} A ${size(network)} trains in your browser${others}.`);
      putWords(code, actions.code());
      return {
        /** The words on the scores of both, where there are two. */
        hear(news: News, other: News | null): string | undefined {
          if (!beside || !other || !news.score) return undefined;
          const words = [scoreWords(network.name, news), scoreWords(beside.name, other)];
          return `Test: ${words.join(" · ")}`;
        },
      };
    },
  };
}

/** Makes labelled fields, and what is folded away. */
function createMaker(document: Document, signal: AbortSignal) {
  function labelled<K extends "input" | "select">(parent: HTMLElement, words: string, kind: K) {
    const label = element(document, "label", "", parent);
    const said = element(document, "span", "", label);
    putWords(said, `${words} `);
    return { label, said, input: element(document, kind, "", label) };
  }

  return {
    details(parent: HTMLElement, words: string): HTMLElement {
      const own = element(document, "details", "kw-play-more", parent);
      putWords(element(document, "summary", "", own), words);
      return element(document, "div", "kw-play-row", own);
    },
    select<T extends string>(
      parent: HTMLElement,
      words: string,
      values: Record<T, string>,
      chosen: (value: T) => void,
    ) {
      const network = labelled(parent, words, "select");
      for (const [value, named] of Object.entries<string>(values))
        network.input.append(new Option(named, value));
      listen(network.input, signal, { change: () => chosen(network.input.value as T) });
      return network;
    },
    field(parent: HTMLElement, words: string, chosen: (text: string) => void) {
      const network = labelled(parent, words, "input");
      listen(network.input, signal, { change: () => chosen(network.input.value) });
      return network;
    },
    button(parent: HTMLElement, words: string, act: (self: HTMLElement) => void): void {
      const own = element(document, "button", "", parent);
      own.type = "button";
      putWords(own, words);
      listen(own, signal, { click: () => act(own) });
    },
  };
}

function scoreWords(name: string, { score, classifies, step }: News): string {
  if (!score) return `${name}: not tested yet`;
  const value = classifies
    ? `${(100 * score.value).toFixed(1)} %`
    : `off by ${score.value.toPrecision(3)}`;
  return `${name} ${value} at step ${step.toLocaleString("en")}`;
}
