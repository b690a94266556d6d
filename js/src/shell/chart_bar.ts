/** Scale, smoothing and zoom of the curves. */

import { formatCount } from "../phi/format.ts";
import { zoomOf } from "../scene/logged.ts";
import { createKit } from "./controls.ts";
import { element } from "./element.ts";
import type { Shell } from "./mount.ts";

const SMOOTHINGS = [0, 10, 30, 100, 300, 1000];

export type ChartBar = ReturnType<typeof createChartBar>;

/** `auto`: the view's scale can be left to it. */
export function createChartBar(
  shell: Shell,
  zoom: (factor: number) => void,
  all: () => void,
  auto = false,
) {
  const { document, signal } = shell;
  const kit = createKit(document, signal);
  const root = element(document, "span", "kw-options");
  const scale = kit.segments("Scale of the values", (value) => shell.choose("scale", value));
  const own =
    "Draw a quantity that has fallen to less than a hundredth logarithmically, others not";
  scale.fill([
    ...(auto ? [{ value: "auto", label: "auto", title: own }] : []),
    { value: "linear", label: "linear", title: "Draw the values on a linear scale" },
    { value: "log", label: "log", title: "Draw the values on a logarithmic scale" },
  ]);
  const smooth = kit.select(
    "smooth",
    "Draw the mean over this many steps around each step as a line; the logged values stay behind it",
    (value) => shell.choose("smoothing", Number(value)),
  );
  const button = (text: string, title: string, act: () => void) =>
    kit.button(text, title, "kw-button", act);
  const half = "Show half as many steps; or drag across the steps to show";
  const closer = button("+", half, () => zoom(0.5));
  const wider = button("−", "Show twice as many steps", () => zoom(2));
  const whole = button("all steps", "Show all steps; or double-click", all);
  const spread = element(document, "span", "kw-option");
  element(document, "span", "kw-option-label", spread).textContent = "zoom";
  spread.append(closer, wider, whole);
  root.append(scale.box, smooth.box, spread);
  let listed = "";
  return {
    element: root,
    /** `alone`: no kernel is there to make other means. `empty`: there are no curves to zoom. */
    show(get: (trait: string) => unknown, alone: boolean, empty = false) {
      const smoothing = Number(get("smoothing"));
      const steps = [...new Set([...SMOOTHINGS, smoothing])].sort((a, b) => a - b);
      if (steps.join() !== listed) {
        listed = steps.join();
        const words = (n: number) => (n > 1 ? `${formatCount(n)} steps` : "off");
        smooth.fill(steps.map((n) => ({ value: String(n), label: words(n) })));
      }
      smooth.set(String(smoothing));
      smooth.box.hidden = alone;
      scale.set(String(get("scale") ?? "linear"));
      closer.disabled = empty;
      wider.disabled = whole.disabled = zoomOf(get("zoom")) === null;
    },
  };
}
