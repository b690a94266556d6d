/** The button that gives a view the whole screen, where the page may. */

import type { Kit } from "../../shell/controls.ts";

const OPEN = ["full screen", "Show this on the whole screen; Escape leaves it"] as const;
const LEAVE = ["leave full screen", "Back to the page"] as const;

export function createFullScreen(
  root: HTMLElement,
  kit: Kit,
  signal: AbortSignal,
): HTMLButtonElement {
  const document = root.ownerDocument;
  const isWhole = () => document.fullscreenElement === root;
  const button = kit.button(...OPEN, "kw-button kw-full-screen", () => {
    const turned = isWhole() ? document.exitFullscreen() : root.requestFullscreen();
    turned.catch((error) => console.warn("kan_widgets: no full screen here", error));
  });
  button.hidden = !document.fullscreenEnabled;
  document.addEventListener(
    "fullscreenchange",
    () => {
      [button.textContent, button.title] = isWhole() ? LEAVE : OPEN;
    },
    { signal },
  );
  return button;
}
