import { expect, it } from "vitest";
import { NOTHING } from "../src/scene/drawing.ts";
import { themeOf } from "../src/scene/theme.ts";
import { drawing } from "../src/views/legend/scene.ts";

it("names what is under the pointer", () => {
  const given = { width: 300, theme: themeOf("light"), pointed: NOTHING };
  const scene = drawing()(given as never);
  if (typeof scene === "string") throw new Error(scene);
  const view = { x: 0, y: 0, width: 300, height: scene.height };
  expect(scene.sites.words(scene.sites.at(50, 30, view))).toBe("initial");
  expect(scene.sites.next("initial", "down")).toBe("base");
});
