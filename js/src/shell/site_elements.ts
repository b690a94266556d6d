/** Elements over the sites of a scene that can be worked with, for keyboards and for those who hear a page. */

import { allSame } from "../phi/memory.ts";
import type { Rect } from "../scene/marks.ts";
import { element, hasKeyboard, listen, putAttributes, putStyle } from "./element.ts";
import { plainKey, used } from "./keys.ts";

export interface Operable {
  /** The id of a site of the scene. */
  id: string;
  /** Null while it is out of sight. */
  box: Rect | null;
  label: string;
  disabled?: boolean | undefined;
  pressed?: boolean | undefined;
  value?: { now: number; text: string } | undefined;
}

interface PlaceHands {
  press?(id: string): void;
  /** A key; true where it was used. Other arrow keys lead from one place to the next. */
  key?(id: string, event: KeyboardEvent): boolean;
  /** No key is down any more, or the keyboard went elsewhere. */
  released?(): void;
}

const KEYS: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** One group: the keyboard enters it at one place, and arrow keys lead on. The pointer stays the canvas's. */
export function createPlaces(
  document: Document,
  name: string,
  role: "button" | "slider",
  hands: PlaceHands,
  signal: AbortSignal,
) {
  const root = element(document, "div", "kw-places");
  putAttributes(root, { role: "group", "aria-label": name });
  let places = new Map<string, HTMLButtonElement>();
  let entry = "";

  const idOf = (event: Event) =>
    (event.target as HTMLElement).closest<HTMLElement>(".kw-place")?.dataset.site ?? "";

  function createPlace(id: string): HTMLButtonElement {
    const place = element(document, "button", "kw-place");
    place.type = "button";
    place.dataset.site = id;
    if (role === "slider") putAttributes(place, { role, "aria-orientation": "vertical" });
    return place;
  }

  function build(list: readonly Operable[]) {
    const ids = list.map(({ id }) => id);
    if (allSame(ids, [...places.keys()])) return;
    const focused = [...places].find(([, place]) => hasKeyboard(place))?.[0];
    places = new Map(ids.map((id) => [id, places.get(id) ?? createPlace(id)]));
    root.replaceChildren(...places.values());
    if (focused) places.get(focused)?.focus({ preventScroll: true });
  }

  function step(from: string, by: number): boolean {
    const usable = [...places].filter(([, place]) => !place.hidden && !place.disabled);
    const here = usable.findIndex(([id]) => id === from);
    if (here < 0) return false;
    const [id, place] = usable[(here + by + usable.length) % usable.length];
    entry = id;
    place.focus();
    return true;
  }

  listen(root, signal, {
    click: (event) => hands.press?.(idOf(event)),
    keydown(event) {
      const id = idOf(event);
      if (!id || !plainKey(event)) return;
      const by = KEYS[event.key];
      if (hands.key?.(id, event) || (by !== undefined && step(id, by))) used(event);
    },
    keyup: () => hands.released?.(),
    focusout: () => hands.released?.(),
  });

  return {
    element: root,
    /** `held` says its value also while it has the keyboard. */
    show(list: readonly Operable[], held = "") {
      build(list);
      if (!list.some(({ id, box, disabled }) => id === entry && box && !disabled)) {
        entry = list.find(({ box, disabled }) => box && !disabled)?.id ?? "";
      }
      for (const { id, box, label, disabled = false, pressed, value } of list) {
        const place = places.get(id) as HTMLButtonElement;
        place.hidden = box === null;
        place.disabled = disabled;
        place.tabIndex = id === entry ? 0 : -1;
        putAttributes(place, { "aria-label": label });
        if (pressed !== undefined) putAttributes(place, { "aria-pressed": String(pressed) });
        // An element with the keyboard is read out whenever it changes, which must not be on every frame.
        if (value && (id === held || !hasKeyboard(place))) {
          const { now, text } = value;
          putAttributes(place, { "aria-valuenow": String(now), "aria-valuetext": text });
        }
        if (!box) continue;
        putStyle(place, {
          transform: `translate(${box.x}px, ${box.y}px)`,
          width: `${box.width}px`,
          height: `${box.height}px`,
        });
      }
    },
    /** The keyboard comes back to this one. */
    remember(id: string) {
      entry = id;
    },
    of: (id: string): HTMLElement | undefined => places.get(id),
  };
}
