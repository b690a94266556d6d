import { describe, expect, it, vi } from "vitest";
import { offersObserving } from "../src/phi/inputs.ts";
import { howToObserve } from "../src/views/meshgrid_view/response_picture.ts";
import { phiInputsText } from "../src/views/spline_inspector/words.ts";
import { initialize } from "../src/wire/stream.ts";
import { FakeModel } from "./fake_model.ts";

/** The stream of a model whose manager has, or has lost, its connection to Python. */
function streamOf(isLive: boolean, state: Record<string, unknown> = {}) {
  const listeners = new Set<() => void>();
  const own = {
    comm_live: isLive,
    on: (_: string, listener: () => void) => listeners.add(listener),
    off: (_: string, listener: () => void) => listeners.delete(listener),
  };
  const fake = new FakeModel({ _own: "stream", batch: { seen: true, message: "" }, ...state });
  Object.assign(fake, { widget_manager: { get_model: vi.fn(async () => own) } });
  const store = initialize({ model: fake.model, signal: new AbortController().signal });
  const set = (now: boolean) => {
    own.comm_live = now;
    for (const listener of listeners) listener();
  };
  return { store, set };
}

describe("a stream without a kernel", () => {
  it("says that nobody hears, and when somebody does again", async () => {
    const { store, set } = streamOf(false);
    const heard = vi.fn();
    store.subscribe(heard, new AbortController().signal);
    await vi.waitFor(() => expect(store.alone()).toBe(true));
    expect(heard).toHaveBeenCalledWith("status");
    set(true);
    expect(store.alone()).toBe(false);
  });

  it("is that of a saved page too", () => {
    const { store } = streamOf(true, { status: { state: "saved", message: "" } });
    expect(store.alone()).toBe(true);
  });

  it("offers nothing that a reader of its page cannot do", async () => {
    const { store, set } = streamOf(false);
    await vi.waitFor(() => expect(store.alone()).toBe(true));
    expect(offersObserving(store, "conv1")).toBe(false);
    expect(howToObserve(store, "conv1")).not.toMatch(/Press|Call|live\./);
    expect(phiInputsText({ layer: {} } as never, null, store)).not.toContain("live.");
    set(true);
    expect(offersObserving(store, "conv1")).toBe(true);
    expect(howToObserve(store, "conv1")).toContain("Press “observe a batch”");
  });
});
