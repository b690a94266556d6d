/** How a run stands, as Python says it. */

import type { Standing } from "../src/wire/standing.ts";

const WORDS: Record<string, string> = { running: "training", idle: "not training" };
const OVER = ["idle", "finished", "failed", "closed", "recorded"];

export function said(state: string, words = WORDS[state] ?? state, mend = ""): Standing {
  return { state, words, mend, beats: !OVER.includes(state) };
}
