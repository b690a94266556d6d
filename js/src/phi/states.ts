/** How a training stands, in the words of all views. No DOM. */

/** What Python calls it: of a stream (`Source.state`) or of a training (`Progress.state`). Others are said as they are. */
const WORDS: Readonly<Record<string, string>> = {
  "": "not training",
  idle: "not training",
  live: "training",
  running: "training",
};

/** "training", "paused", "stopping", "stopped", "finished", "interrupted", "failed", "not training"; "recorded", "saved". */
export function stateWord(state: string): string {
  return WORDS[state] ?? state;
}
