/**
 * The one bundle, which the stream carries: it reads what Python sends and draws all views of the stream. In
 * Python's engine, where there is no page, it returns stills and numbers instead.
 */

import type { RenderProps } from "@anywidget/types";
import { putSheet } from "./shell/sheet.ts";
import { stationOutputs, still } from "./still.ts";
import { VIEWS } from "./views/registry.ts";
import { startLate } from "./wire/jupyter_kernel.ts";
import { initialize as initializeStream, type StreamContext } from "./wire/stream.ts";
import type { StreamExports } from "./wire/types.ts";

function render(kind: string, props: RenderProps): void {
  const view = VIEWS[kind];
  if (!view) throw new Error(`this page's kan_widgets has no view ${kind}: reload the page`);
  const sheets = Object.values(VIEWS).flatMap(({ css }) => css ?? []);
  putSheet(props.el, sheets);
  const id = String(props.model.get("_own") ?? "");
  if ("within" in props || !id) view.render(props);
  else renderOrMove(id, props, view.render);
}

export function initialize(context: StreamContext): StreamExports {
  startLate(context.model);
  return Object.assign(initializeStream(context), { render });
}

if (typeof document === "undefined") {
  Object.assign(globalThis, { kwStill: still, kwComputed: stationOutputs });
}

export default { initialize };

interface MovableView {
  /** The element that is moved. */
  inside: HTMLElement;
  /** The latest props that the view was rendered with. */
  props: RenderProps;
  /** Ends the view. */
  ends: AbortController;
}

const viewsById = new Map<string, Set<MovableView>>();

/** Renders a view, or moves the one that was taken out of its place. */
function renderOrMove(id: string, props: RenderProps, render: (props: RenderProps) => void) {
  const views = viewsById.get(id) ?? new Set();
  viewsById.set(id, views);
  // Drawn, and then removed by itself: a cell out of sight is removed with all around its view.
  const takenOut = [...views].find(
    ({ inside, props: { el } }) => !el.parentNode && !inside.querySelector("[data-kw-unborn]"),
  );
  if (takenOut) {
    takenOut.props = props;
    follow(takenOut);
    props.el.append(takenOut.inside);
    return;
  }
  const inside = props.el.ownerDocument.createElement("div");
  const view: MovableView = { inside, props, ends: new AbortController() };
  views.add(view);
  view.ends.signal.addEventListener("abort", () => {
    views.delete(view);
    if (views.size === 0) viewsById.delete(id);
    inside.remove();
  });
  props.el.append(inside);
  follow(view);
  render({ ...props, el: inside, signal: view.ends.signal });

  /** Ends a view with the props it has now; if it was moved meanwhile, it is rendered again with its latest ones. */
  function follow(view: MovableView) {
    const { props } = view;
    props.signal.addEventListener("abort", () => {
      view.ends.abort();
      if (view.props !== props && !view.props.signal.aborted) renderOrMove(id, view.props, render);
    });
  }
}
