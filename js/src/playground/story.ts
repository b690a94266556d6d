/** The strip of a story that shows the reader round the playground, step by step. */

import { element, listen, putWords } from "../shell/element.ts";
import type { News } from "../training/worker.ts";
import { doubtWords, startDoubt } from "./doubt.ts";
import type { State } from "./state.ts";
import { DIGITS, type Known, type Present, SEEDS, STORY } from "./story_steps.ts";

/** Said until the training rests. */
const WAITS = "This is measured while training is paused.";

/** What the story does in the page. */
interface Actions {
  state(): State;
  begin(state: State): Promise<void>;
  /** The reader is at another step; 0 where the story is closed. */
  moved(step: number): void;
}

/** Makes the strip before `place`, closed. */
export function createStory(place: HTMLElement, actions: Actions) {
  const document = place.ownerDocument;
  const { signal } = new AbortController();
  const root = element(document, "section", "");
  root.id = "kw-story";
  root.setAttribute("aria-label", "Story");
  place.before(root);
  const open = element(document, "button", "", root);
  putWords(open, "Show me round, in seven steps");
  const body = element(document, "div", "kw-story-told", root);
  const said = element(document, "p", "", body);
  said.setAttribute("aria-live", "polite");
  const title = element(document, "strong", "", said);
  const words = element(document, "span", "", said);
  const facts = element(document, "p", "kw-story-facts", body);
  const canvas = element(document, "canvas", "", body);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `The functions of x of ${SEEDS} networks`);
  const hands = element(document, "div", "kw-story-hands", body);
  const [back, next, close] = ["Back", "Next", "Close"].map((name) => {
    const button = element(document, "button", "", hands);
    putWords(button, name);
    return button;
  });
  for (const button of [open, back, next, close]) button.type = "button";
  let current = 0;
  let present: Known | null = null;
  /** The reader has come to a step whose network has not been heard of yet, or not at rest. */
  let isDue = false;
  let isOurs = false;
  let visit = new AbortController();
  const say = (text: string) => putWords(facts, text);

  async function go(step: number): Promise<void> {
    visit.abort();
    visit = new AbortController();
    if (present && current > 0) STORY[current - 1].leave?.(present);
    current = step;
    open.hidden = step > 0;
    body.hidden = step === 0;
    canvas.hidden = step !== STORY.length;
    actions.moved(step);
    isDue = step > 0;
    if (step === 0) return;
    const { title: name, words: text, state = DIGITS, atRest } = STORY[step - 1];
    putWords(title, `${step} of ${STORY.length}: ${name} `);
    putWords(words, atRest ? WAITS : text);
    say("");
    back.disabled = step === 1;
    next.disabled = step === STORY.length;
    if (!isSame(actions.state(), state)) {
      isOurs = true;
      present = null;
      await actions.begin(state);
      isOurs = false;
    } else if (atRest && present?.news.state === "running") present.model.send({ kind: "pause" });
    else if (present) await arrive(present);
  }

  async function arrive(present: Known): Promise<void> {
    isDue = false;
    const { signal: visited } = visit;
    const { arrive: come, follow } = STORY[current - 1];
    present.turnToNetwork();
    const result = (await come?.(present, visited)) ?? follow?.(present);
    if (visited.aborted) return;
    putWords(words, STORY[current - 1].words);
    if (result) say(result);
    if (current < STORY.length) return;
    startDoubt(canvas, present.course, present, visited, (...found) => say(doubtWords(...found)));
  }

  function leads(button: HTMLElement, to: () => number, focused: HTMLElement) {
    const click = async () => {
      await go(to());
      (focused.matches(":disabled") ? close : focused).focus();
    };
    listen(button, signal, { click });
  }
  leads(open, () => 1, next);
  leads(back, () => current - 1, back);
  leads(next, () => current + 1, next);
  leads(close, () => 0, open);
  go(0);

  return {
    go,
    /** Another network comes: where the reader has chosen it, the story is over. */
    end() {
      if (!isOurs && current > 0) go(0);
      present = null;
    },
    hear(page: Present, news: News) {
      present = { ...page, news, frame: news.frame.slice() };
      facts.setAttribute("aria-live", news.state === "running" ? "off" : "polite");
      const { follow, atRest } = STORY[current - 1] ?? {};
      const waits = atRest === true && news.state === "running";
      if (waits) {
        isDue = true;
        putWords(words, WAITS);
      } else if (isDue) arrive(present);
      // What is said is of the step that is drawn.
      if (follow) say(follow(present));
    },
  };
}

/** The step at which an address begins: the first where it asks for nothing. */
export function storyOf(hash: string): number {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const step = query.has("story") ? Number(query.get("story")) : query.size === 0 ? 1 : 0;
  return Number.isInteger(step) && step >= 0 && step <= STORY.length ? step : 0;
}

/** Whether two states have the same network and data; the settings of a training do not matter. */
function isSame(one: State, other: State): boolean {
  const names = ["problem", "network", "widths", "basis", "grid", "order", "base"] as const;
  const isOfFormula = other.problem === "formula";
  return (
    names.every((name) => String(one[name]) === String(other[name])) &&
    (!isOfFormula || one.formula === other.formula)
  );
}
