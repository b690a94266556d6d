/**
 * A view whose output is told anew stays what it is. A kernel that renews the still of an output has JupyterLab take the
 * view out of its place and make it again there: what was drawn then moves into the new element, with all its state.
 */

import type { RenderProps } from "@anywidget/types";

interface Shown {
  /** What is moved. */
  inside: HTMLElement;
  /** The latest that it was rendered into. */
  props: RenderProps;
  /** Ends what is shown. */
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

  /** It ends with what it was rendered for: moved, it hears the page through the first of these no longer. */
  function follow(one: Shown) {
    const { props: mine } = one;
    mine.signal.addEventListener("abort", () => {
      one.ends.abort();
      if (one.props !== mine && !one.props.signal.aborted) renderOrMoveOwn(own, one.props, render);
    });
  }
}

/** Drawn before, and removed by itself: where a cell is out of sight, its view is removed with all around it. */
function isTakenOut({ inside, props: { el } }: Shown): boolean {
  return el.parentNode === null && !inside.querySelector("[data-kw-unborn]");
}
