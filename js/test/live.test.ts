// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";
import { connect, type LiveModel, withoutBytes } from "../src/page/live.ts";
import { putBytes } from "../src/wire/protocol.ts";

/** Stands in for the browser's way to hear of events. */
class Events {
  static last: Events;
  readonly handlers = new Map<string, (event: unknown) => void>();
  readonly address: URL;
  constructor(address: URL) {
    this.address = address;
    Events.last = this;
  }
  addEventListener(name: string, handler: (event: unknown) => void) {
    this.handlers.set(name, handler);
  }
  say(name: string, data: unknown = "") {
    this.handlers.get(name)?.({ data: JSON.stringify(data) });
  }
}

afterEach(() => vi.unstubAllGlobals());

const settled = () => new Promise((done) => setTimeout(done));

describe("a page that is connected", () => {
  function page(fetched: (address: URL, request: RequestInit) => Promise<{ ok: boolean }>) {
    vi.stubGlobal("EventSource", Events);
    vi.stubGlobal("fetch", fetched);
    const said: [string, boolean][] = [];
    const live = {
      heard: 7,
      models: [{ id: "a", module: "KernelGrid", traits: { mode: "curves", layer: "x" } }],
    };
    const models = connect(live, "http://127.0.0.1:1/token/", (words, lost) =>
      said.push([words, lost]),
    );
    return { model: models.get("a") as LiveModel, said };
  }

  it("hears what came after it was made, and takes it", () => {
    const { model } = page(async () => ({ ok: true }));
    const told = vi.fn();
    const changed = vi.fn();
    model.on("msg:custom", told);
    model.on("change:mode", changed);
    expect(String(Events.last.address)).toBe("http://127.0.0.1:1/token/events?from=7");
    Events.last.say("message", {
      id: "a",
      method: "update",
      state: { mode: "pattern" },
      buffer_paths: [],
      buffers: [],
    });
    Events.last.say("message", {
      id: "a",
      method: "custom",
      content: { kind: "frame" },
      buffers: ["AQI="],
    });
    Events.last.say("message", { id: "stranger", method: "custom", content: {}, buffers: [] });
    expect(model.get("mode")).toBe("pattern");
    expect(changed).toHaveBeenCalledOnce();
    const [content, [bytes]] = told.mock.calls[0];
    expect(content).toEqual({ kind: "frame" });
    expect([bytes.getUint8(0), bytes.getUint8(1)]).toEqual([1, 2]);
  });

  it("renews the parts of a board that differ: cells, words, rows that come and go", () => {
    page(async () => ({ ok: true }));
    const row = (id: string, state: string, step: number) =>
      `<tr id="${id}" data-state="${state}"><td><img alt="${id}"></td><td>${step}</td></tr>`;
    const say = (id: string, html: string) => Events.last.say("message", { id, html });
    document.body.innerHTML = `<table><caption id="said">1 run <a href="x">compare</a></caption>
      <tbody>${row("a", "alive", 1)}</tbody></table>`;
    const [first] = document.querySelectorAll("tbody tr");
    const picture = document.querySelector("img");
    say("a", row("a", "died", 2));
    say("b", row("b", "alive", 0));
    say("said", '<caption id="said">2 runs <a href="x">compare</a></caption>');
    const rows = [...document.querySelectorAll<HTMLElement>("tbody tr")];
    expect(rows.map(({ id, dataset }) => `${id} ${dataset.state}`)).toEqual(["b alive", "a died"]);
    expect(rows.map(({ textContent }) => textContent)).toEqual(["0", "2"]);
    expect(rows[1]).toBe(first);
    expect(rows[1]?.querySelector("img")).toBe(picture);
    expect(document.querySelector("caption")?.textContent).toBe("2 runs compare");
    say("b", "");
    expect(document.querySelectorAll("tbody tr").length).toBe(1);
  });

  it("says what changed here, one message after the other, and not what it was told", async () => {
    const posted: unknown[] = [];
    const { model } = page(async (address, { body }) => {
      expect(String(address)).toBe("http://127.0.0.1:1/token/messages");
      posted.push(JSON.parse(String(body)));
      return { ok: true };
    });
    Events.last.say("message", { id: "a", method: "update", state: { layer: "y" }, buffers: [] });
    model.save_changes();
    model.set("mode", "change");
    model.save_changes();
    model.save_changes();
    model.send({ kind: "pause" });
    await settled();
    expect(posted).toEqual([
      { id: "a", method: "update", state: { mode: "change" }, buffer_paths: [], buffers: [] },
      { id: "a", method: "custom", content: { kind: "pause" }, buffers: [] },
    ]);
  });

  it("says when it is lost and when it is back", async () => {
    const { model, said } = page(() => Promise.reject(new Error("gone")));
    model.send({});
    await settled();
    Events.last.say("error");
    Events.last.say("open");
    expect(said.map(([, lost]) => lost)).toEqual([true, true, false]);
    expect(said[0][0]).toMatch(/Not connected/);
  });
});

describe("bytes", () => {
  it("are taken out of a value and come back to where they were", () => {
    const value = { a: [1, new Uint8Array([3, 4])], b: { c: new ArrayBuffer(1) }, d: null };
    const [plain, paths, buffers] = withoutBytes(value);
    expect(plain).toEqual({ a: [1, null], b: { c: null }, d: null });
    expect(paths).toEqual([
      ["a", 1],
      ["b", "c"],
    ]);
    expect(buffers).toEqual(["AwQ=", "AA=="]);
    const bytes = new DataView(new ArrayBuffer(2));
    putBytes(plain, ["a", 1], bytes);
    expect((plain as typeof value).a[1]).toBe(bytes);
  });
});
