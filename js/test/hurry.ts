/** For tests of a view: drawings that come as soon as the page draws, and how to wait for them. */
import { vi } from "vitest";

type PaceModule = typeof import("../src/shell/pace.ts");

/**
 * For `vi.mock("../src/shell/pace.ts", hurriedPace)`: what draws is always in a hurry. pace.test.ts tells how long it
 * waits, which depends on the machine.
 */
export async function hurriedPace(): Promise<PaceModule> {
  const { createPace } = await vi.importActual<PaceModule>("../src/shell/pace.ts");
  return {
    createPace: (window, draw) => {
      const pace = createPace(window, draw);
      return { ...pace, soon: pace.now };
    },
  };
}

/** Until what is asked for is drawn: on a busy machine the timer may come first. */
export async function painted(milliseconds = 80) {
  await new Promise((done) => setTimeout(done, milliseconds));
  await new Promise((done) => requestAnimationFrame(done));
  await new Promise((done) => requestAnimationFrame(done));
}
