import { expect, it } from "vitest";
import { shareWithModel } from "../src/shell/connection.ts";
import { initialize } from "../src/wire/stream.ts";
import { FakeModel } from "./fake_model.ts";

const AT = { layer: "convs.1", out: 1, in: 0, row: 2, column: 1 };
const OTHER = { ...AT, out: 3 };

function shared() {
  const life = new AbortController();
  const stream = new FakeModel({ selection: AT, cursor: 40 });
  const view = new FakeModel({ selection: null, cursor: -1 });
  const store = initialize({ model: stream.model, signal: life.signal });
  shareWithModel(view.model, store, life.signal);
  return { life, stream, view, store };
}

it("gives the view's model what the stream has, at first and from then on", () => {
  const { store, view } = shared();
  expect([view.get("selection"), view.get("cursor")]).toEqual([AT, 40]);
  store.select(OTHER);
  store.setCursor(7);
  expect([view.get("selection"), view.get("cursor")]).toEqual([OTHER, 7]);
  store.select(null);
  expect(view.get("selection")).toBeNull();
});

it("takes what a link sets in the view's model, and saves it with the stream alone", () => {
  const { store, stream, view } = shared();
  view.set("cursor", 12);
  view.set("selection", OTHER);
  expect([store.cursor(), store.selection()]).toEqual([12, OTHER]);
  expect([stream.get("cursor"), stream.get("selection")]).toEqual([12, OTHER]);
  view.set("selection", {});
  expect(store.selection()).toBeNull();
  expect(stream.saves).toBe(3);
  expect(view.saves).toBe(0);
});

it("ends with the view", () => {
  const { life, store, view } = shared();
  life.abort();
  expect(view.handlers).toBe(0);
  store.setCursor(3);
  expect(view.get("cursor")).toBe(40);
});
