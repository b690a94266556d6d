/**
 * The one bundle, which the stream carries: it reads what Python sends and draws all views of the stream. In
 * Python's engine, where there is no page, it returns stills and numbers instead.
 */

import type { RenderProps } from "@anywidget/types";
import { renderOrMove } from "./shell/reattach.ts";
import { putSheet } from "./shell/sheet.ts";
import { stationOutputs, still } from "./still.ts";
import { VIEWS } from "./views/registry.ts";
import { startLate } from "./wire/jupyter_kernel.ts";
import { initialize as initializeStream, type StreamContext } from "./wire/stream.ts";
import type { StreamExports } from "./wire/types.ts";

function render(kind: string, props: RenderProps): void {
  const view = VIEWS[kind];
  if (!view) throw new Error(`this page's kan_widgets has no view ${kind}: reload the page`);
  putSheet(
    props.el,
    Object.values(VIEWS).flatMap(({ css }) => css ?? []),
  );
  if ("within" in props) view.render(props);
  else renderOrMove(props, view.render);
}

export function initialize(context: StreamContext): StreamExports {
  startLate(context.model);
  return Object.assign(initializeStream(context), { render });
}

if (typeof document === "undefined") {
  Object.assign(globalThis, { kwStill: still, kwComputed: stationOutputs });
}

export default { initialize };
