/** TrainingPanel's buttons and numbers. */

import type { RenderProps } from "@anywidget/types";
import type { Traits } from "./status.ts";
import { createView } from "./view.ts";

function render({ model, el, signal }: RenderProps<Traits>): void {
  createView(model, el, signal);
}

export default { render };
