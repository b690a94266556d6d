/** All views by their names, one line each. */

import type { RenderProps } from "@anywidget/types";
import type { Drawing } from "../scene/drawing.ts";
import { CARD_DIAGRAM } from "../shell/card.ts";
import * as compare from "./compare/view.ts";
import * as dashboard from "./dashboard/view.ts";
import * as explain from "./explain/view.ts";
import * as kernelGrid from "./kernel_grid/view.ts";
import * as layerRanges from "./layer_ranges/view.ts";
import * as meshgridView from "./meshgrid_view/view.ts";
import * as networkView from "./network_view/view.ts";
import * as splineInspector from "./spline_inspector/view.ts";
import * as trainingPanel from "./training_panel/view.ts";

interface Registered {
  /** Makes its scenes: all that a still needs. */
  drawing: () => Drawing;
  /** Puts it into a page. */
  render(props: RenderProps): void;
  /** Its own style sheet, beside the shell's. */
  css?: string;
}

export const VIEWS: Record<string, Registered> = {
  compare,
  dashboard,
  explain,
  kernel_grid: kernelGrid,
  layer_ranges: layerRanges,
  training_panel: trainingPanel,
  meshgrid_view: meshgridView,
  network_view: networkView,
  spline_inspector: splineInspector,
};

CARD_DIAGRAM.drawing = networkView.drawing;
