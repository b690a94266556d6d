/**
 * A view survives an update of its output. Where a kernel renews the still of an output, JupyterLab takes the view out of
 * its place and makes it again there: what was drawn then moves into the new element, with all its state.
 */

import type { RenderProps } from "@anywidget/types";

interface Shown {
  /** What is moved. */
  inside: HTMLElement;
  /** The latest props that the view was rendered with. */
  props: RenderProps;
  /** Ends the view. */
  ends: AbortController;
}

const shown = new Map<string, Set<Shown>>();

/** Renders a view, or moves the one that was taken out of its place. */
export function renderOrMove(props: RenderProps, render: (props: RenderProps) => void): void {
  const own = String(props.model.get("_own") ?? "");
  if (own) renderOrMoveOwn(own, props, render);
  else render(props);
}

function renderOrMoveOwn(own: string, props: RenderProps, render: (props: RenderProps) => void) {
  const views = shown.get(own) ?? new Set();
  shown.set(own, views);
  const left = [...views].find(isTakenOut);
  if (left) {
    left.props = props;
    follow(left);
    props.el.append(left.inside);
    return;
  }
  const inside = props.el.ownerDocument.createElement("div");
  const view: Shown = { inside, props, ends: new AbortController() };
  views.add(view);
  view.ends.signal.addEventListener("abort", () => {
    views.delete(view);
    if (views.size === 0) shown.delete(own);
    inside.remove();
  });
  props.el.append(inside);
  follow(view);
  render({ ...props, el: inside, signal: view.ends.signal });

  /** Ends a view with the props it has now; if it was moved meanwhile, it is rendered again with its latest ones. */
  function follow(one: Shown) {
    const { props: mine } = one;
    mine.signal.addEventListener("abort", () => {
      one.ends.abort();
      if (one.props !== mine && !one.props.signal.aborted) renderOrMoveOwn(own, one.props, render);
    });
  }
}

/** Whether a view was drawn, and then removed by itself: a cell out of sight is removed with all around its view. */
function isTakenOut({ inside, props: { el } }: Shown): boolean {
  return el.parentNode === null && !inside.querySelector("[data-kw-unborn]");
}
