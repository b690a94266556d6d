// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { keepKeys } from "../src/shell/keys.ts";

function heard(init: KeyboardEventInit): boolean {
  const root = document.createElement("div");
  const slider = root.appendChild(document.createElement("input"));
  document.body.append(root);
  const end = new AbortController();
  keepKeys(root, end.signal);
  let outside = false;
  document.body.addEventListener("keydown", () => (outside = true), { signal: end.signal });
  slider.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...init }));
  end.abort();
  root.remove();
  return outside;
}

test.each([{ key: "ArrowLeft" }, { key: "d" }, { key: "Enter" }, { key: "D", shiftKey: true }])(
  "%o stays in the view",
  (init) => {
    expect(heard(init)).toBe(false);
  },
);

test.each([
  { key: "Enter", shiftKey: true },
  { key: "Enter", ctrlKey: true },
  { key: "s", metaKey: true },
  { key: "Tab" },
  { key: "Escape" },
])("%o reaches the notebook", (init) => {
  expect(heard(init)).toBe(true);
});
