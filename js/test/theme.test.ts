// @vitest-environment happy-dom

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ThemeName } from "../src/phi/palette.ts";
import { themeAround, watchTheme } from "../src/shell/theme.ts";

let view: HTMLElement;

beforeEach(() => {
  view = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  for (const node of [document.documentElement, document.body]) {
    for (const name of node.getAttributeNames()) node.removeAttribute(name);
  }
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

function systemPrefers(theme: ThemeName) {
  vi.spyOn(window, "matchMedia").mockImplementation(
    (query) => ({ matches: query.includes(theme), addEventListener() {} }) as never,
  );
}

/** What each host writes on its page: where, which attribute, and its value. */
const HOSTS: [
  name: string,
  place: "html" | "body",
  attribute: string,
  dark: string,
  light: string,
][] = [
  ["JupyterLab and Notebook", "body", "data-jp-theme-light", "false", "true"],
  ["VS Code", "body", "class", "vscode-dark", "vscode-light"],
  [
    "VS Code in high contrast",
    "body",
    "class",
    "vscode-high-contrast",
    "vscode-high-contrast vscode-high-contrast-light",
  ],
  ["Colab", "html", "theme", "dark", "light"],
  ["marimo", "body", "class", "dark dark-theme", "light light-theme"],
  ["Sphinx", "html", "data-theme", "dark", "light"],
];

describe("the theme", () => {
  it.each(HOSTS)("of %s counts, whatever the system prefers", (_, place, name, dark, light) => {
    const node = place === "html" ? document.documentElement : document.body;
    for (const system of ["light", "dark"] as const) {
      systemPrefers(system);
      node.setAttribute(name, dark);
      expect(themeAround(view)).toBe("dark");
      node.setAttribute(name, light);
      expect(themeAround(view)).toBe("light");
    }
  });

  it("of the nearest element that says it counts, also around a shadow root", () => {
    systemPrefers("light");
    document.documentElement.setAttribute("data-theme", "light");
    const box = document.body.appendChild(document.createElement("div"));
    box.className = "dark";
    const inside = box.attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
    expect(themeAround(inside)).toBe("dark");
    expect(themeAround(view)).toBe("light");
  });

  it("of the system counts where nothing on the page says one", () => {
    for (const system of ["light", "dark"] as const) {
      systemPrefers(system);
      expect(themeAround(view)).toBe(system);
    }
  });

  it("is looked at again when the host changes its own, until the view is gone", async () => {
    systemPrefers("light");
    const life = new AbortController();
    const seen: ThemeName[] = [];
    watchTheme(view, () => seen.push(themeAround(view)), life.signal);
    document.documentElement.setAttribute("theme", "dark");
    await Promise.resolve();
    expect(seen.splice(0).pop()).toBe("dark");
    document.documentElement.removeAttribute("theme");
    await Promise.resolve();
    expect(seen.splice(0).pop()).toBe("light");
    document.body.className = "vscode-dark";
    await Promise.resolve();
    expect(seen.splice(0).pop()).toBe("dark");
    life.abort();
    document.body.className = "vscode-light";
    await Promise.resolve();
    expect(seen).toEqual([]);
  });
});
