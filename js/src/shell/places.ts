/** Elements over the sites of a scene that can be worked with, for keyboards and for those who hear a page. */

import type { Rect } from "../scene/marks.ts";
import { hasKeyboard } from "./alternative.ts";
import { element } from "./element.ts";
import { plainKey, used } from "./keys.ts";

export interface Operable {
  /** As the scene's sites have it. */
  id: string;
  /** Null while it is out of sight. */
  box: Rect | null;
  label: string;
  disabled?: boolean | undefined;
  /** Of a switch. */
  pressed?: boolean | undefined;
  /** Of a slider. */
  value?: { now: number; text: string } | undefined;
}

export interface PlaceHands {
  press?(id: string): void;
  /** A key; true where it was used. Other arrow keys lead from one place to the next. */
  key?(id: string, event: KeyboardEvent): boolean;
  /** No key is down any more, or the keyboard went elsewhere. */
  released?(): void;
}

export interface Places {
  element: HTMLElement;
  /** `held` says its value also while it has the keyboard. */
  show(list: readonly Operable[], held?: string): void;
  /** The keyboard comes back to this one. */
  remember(id: string): void;
  of(id: string): HTMLElement | undefined;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** One group: the keyboard enters it at one place, and arrow keys lead on. The pointer stays the canvas's. */
export function createPlaces(
  document: Document,
  name: string,
  role: "button" | "slider",
  hands: PlaceHands,
  signal: AbortSignal,
): Places {
  const root = element(document, "div", "kw-places");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", name);
  let places = new Map<string, HTMLButtonElement>();
  let entry = "";

  const idOf = (event: Event) =>
    (event.target as HTMLElement).closest<HTMLElement>(".kw-place")?.dataset.site ?? "";

  function made(id: string): HTMLButtonElement {
    const place = element(document, "button", "kw-place");
    place.type = "button";
    place.dataset.site = id;
    if (role === "slider") {
      place.setAttribute("role", "slider");
      place.setAttribute("aria-orientation", "vertical");
    }
    return place;
  }

  function build(list: readonly Operable[]) {
    const ids = list.map(({ id }) => id);
    const known = [...places.keys()];
    if (ids.length === known.length && ids.every((id, k) => id === known[k])) return;
    const focused = [...places].find(([, place]) => hasKeyboard(place))?.[0];
    places = new Map(ids.map((id) => [id, places.get(id) ?? made(id)]));
    root.replaceChildren(...places.values());
    if (focused) places.get(focused)?.focus({ preventScroll: true });
  }

  function step(from: string, by: number): boolean {
    const open = [...places].filter(([, place]) => !place.hidden && !place.disabled);
    const here = open.findIndex(([id]) => id === from);
    if (here < 0) return false;
    const [id, place] = open[(here + by + open.length) % open.length];
    entry = id;
    place.focus();
    return true;
  }

  root.addEventListener("click", (event) => hands.press?.(idOf(event)), { signal });
  root.addEventListener(
    "keydown",
    (event) => {
      const id = idOf(event);
      if (!id || !plainKey(event)) return;
      const by = STEPS[event.key];
      if (hands.key?.(id, event) || (by !== undefined && step(id, by))) used(event);
    },
    { signal },
  );
  for (const kind of ["keyup", "focusout"] as const) {
    root.addEventListener(kind, () => hands.released?.(), { signal });
  }

  return {
    element: root,
    show(list, held = "") {
      build(list);
      if (!list.some(({ id, box, disabled }) => id === entry && box && !disabled)) {
        entry = list.find(({ box, disabled }) => box && !disabled)?.id ?? "";
      }
      for (const { id, box, label, disabled = false, pressed, value } of list) {
        const place = places.get(id) as HTMLButtonElement;
        place.hidden = box === null;
        place.disabled = disabled;
        place.tabIndex = id === entry ? 0 : -1;
        set(place, "aria-label", label);
        if (pressed !== undefined) set(place, "aria-pressed", String(pressed));
        // What has the keyboard is read out whenever it changes: not on every frame.
        if (value && (id === held || !hasKeyboard(place))) {
          set(place, "aria-valuenow", String(value.now));
          set(place, "aria-valuetext", value.text);
        }
        if (!box) continue;
        const at = `translate(${box.x}px, ${box.y}px)`;
        if (place.style.transform !== at) place.style.transform = at;
        const [width, height] = [`${box.width}px`, `${box.height}px`];
        if (place.style.width !== width) place.style.width = width;
        if (place.style.height !== height) place.style.height = height;
      }
    },
    remember(id) {
      entry = id;
    },
    of: (id) => places.get(id),
  };
}

function set(target: Element, name: string, value: string) {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}
