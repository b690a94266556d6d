/** Light or dark, and the colours that follow from it. */

export type Theme = "light" | "dark";

const ATTRIBUTES = ["class", "theme", "data-theme", "data-jp-theme-light", "data-jp-theme-name"];
// VS Code's high contrast is dark, unless the second class of it says otherwise.
const LIGHT = ["light", "vscode-light", "vscode-high-contrast-light"];
const DARK = ["dark", "vscode-dark", "vscode-high-contrast"];
const DARK_QUERY = "(prefers-color-scheme: dark)";

/** Whether the page belongs to JupyterLab or Notebook, whose colour variables a view then follows. */
export function inJupyter(document: Document): boolean {
  return document.body?.dataset.jpThemeLight !== undefined;
}

/**
 * The theme around an element: JupyterLab's own mark, then the nearest
 * `.dark` / `.light` / `data-theme`, then VS Code's and Colab's, then the
 * system's preference.
 */
export function themeAround(element: Element): Theme {
  const { body, documentElement, defaultView } = element.ownerDocument;
  const lab = body?.dataset.jpThemeLight;
  if (lab !== undefined) return lab === "false" ? "dark" : "light";
  for (let node: Element | null = element; node; node = parentOf(node)) {
    const stated = node.getAttribute("data-theme") ?? node.getAttribute("theme");
    if (stated && /dark/i.test(stated)) return "dark";
    if (stated && /light/i.test(stated)) return "light";
    if (LIGHT.some((name) => node?.classList.contains(name))) return "light";
    if (DARK.some((name) => node?.classList.contains(name))) return "dark";
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
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  defaultView?.matchMedia?.(DARK_QUERY).addEventListener?.("change", changed, { signal });
}

/**
 * The values of an element's custom properties, by the part of their name
 * after `--kw-`.
 */
export function readColours<Name extends string>(
  element: Element,
  names: readonly Name[],
): Record<Name, string> {
  const style = getComputedStyle(element);
  const colours = {} as Record<Name, string>;
  for (const name of names) colours[name] = style.getPropertyValue(`--kw-${name}`).trim() || "#888";
  return colours;
}
