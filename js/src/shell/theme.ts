/** Light or dark, and the colours that follow from it. */

import type { ThemeName } from "../phi/palette.ts";
import { type Theme, themeOf } from "../scene/theme.ts";
import { atEnd, putStyle } from "./element.ts";

const ATTRIBUTES = ["class", "theme", "data-theme", "data-jp-theme-light", "data-jp-theme-name"];
// VS Code's high contrast is dark, unless the second class of it says otherwise.
const LIGHT_CLASSES = ["light", "vscode-light", "vscode-high-contrast-light"];
const DARK_CLASSES = ["dark", "vscode-dark", "vscode-high-contrast"];
const DARK_QUERY = "(prefers-color-scheme: dark)";

/** The theme around an element: JupyterLab's mark, else the nearest `.dark`, `.light` or `data-theme`, VS Code's, Colab's, the system's. */
export function themeAround(element: Element): ThemeName {
  const { body, documentElement, defaultView } = element.ownerDocument;
  const lab = body?.dataset.jpThemeLight;
  if (lab !== undefined) return lab === "false" ? "dark" : "light";
  for (let node: Element | null = element; node; node = parentOf(node)) {
    const stated = node.getAttribute("data-theme") ?? node.getAttribute("theme");
    if (stated && /dark/i.test(stated)) return "dark";
    if (stated && /light/i.test(stated)) return "light";
    if (LIGHT_CLASSES.some((name) => node?.classList.contains(name))) return "light";
    if (DARK_CLASSES.some((name) => node?.classList.contains(name))) return "dark";
    if (node === documentElement) break;
  }
  return defaultView?.matchMedia?.(DARK_QUERY).matches ? "dark" : "light";
}

/** The parent, out of a shadow root too. */
function parentOf(element: Element): Element | null {
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/** Calls `changed` when the theme around the page may be another. */
export function watchTheme(element: Element, changed: () => void, signal: AbortSignal): void {
  const { body, documentElement, defaultView } = element.ownerDocument;
  const observer = new MutationObserver(changed);
  for (const node of [documentElement, body]) {
    if (node) observer.observe(node, { attributes: true, attributeFilter: ATTRIBUTES });
  }
  atEnd(signal, () => observer.disconnect());
  defaultView?.matchMedia?.(DARK_QUERY).addEventListener?.("change", changed, { signal });
}

/** Gives a view's root the colours of the theme asked for, "auto" being the one around `element`; returns them. */
export function paintTheme(root: HTMLElement, element: Element, asked: unknown): Theme {
  const automatic = asked !== "light" && asked !== "dark";
  const name = automatic ? themeAround(element) : asked;
  // JupyterLab and Notebook have colour variables, which a view then uses.
  const jupyter = automatic && element.ownerDocument.body?.dataset.jpThemeLight !== undefined;
  const theme = themeOf(name);
  if (root.dataset.kwTheme !== name) root.dataset.kwTheme = name;
  if (jupyter) root.dataset.kwHost = "jupyter";
  else delete root.dataset.kwHost;
  const paint = (colours: object) => {
    for (const [part, colour] of Object.entries(colours))
      putStyle(root, { [`--kw-${part}`]: colour });
  };
  paint(theme.colours);
  if (!jupyter) return theme;
  // Inside JupyterLab the page's own surface and text.
  const style = getComputedStyle(element);
  const cssVariable = (name: string, other: string) => style.getPropertyValue(name).trim() || other;
  const surface = cssVariable("--jp-layout-color1", theme.colours.surface);
  const ink = cssVariable("--jp-ui-font-color0", theme.colours.ink);
  paint({ surface, ink });
  return { name, colours: { ...theme.colours, surface, ink } };
}

/** The theme as it was found last, and a `draw` for which it is found again: to find it takes as long as to draw. */
export function themeBetween(draw: () => void, find: () => Theme): [() => Theme, () => void] {
  let lastTheme: Theme | null = null;
  const theme = () => {
    lastTheme ??= find();
    return lastTheme;
  };
  const again = () => {
    lastTheme = null;
    draw();
  };
  return [theme, again];
}
