/** What may change under a view: its traits, its size, whether it is on the screen. */

import type { AnyModel } from "@anywidget/types";

export function watchTraits(
  model: AnyModel,
  traits: readonly string[],
  changed: (trait: string) => void,
  signal: AbortSignal,
): void {
  for (const trait of traits) {
    const heard = () => changed(trait);
    model.on(`change:${trait}`, heard);
    signal.addEventListener("abort", () => model.off(`change:${trait}`, heard), { once: true });
  }
}

export function watchSize(element: Element, changed: () => void, signal: AbortSignal): void {
  const observer = new ResizeObserver(changed);
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}

/** Tells whether it is on the screen, or nearly. */
export function watchSight(
  element: Element,
  tell: (seen: boolean) => void,
  signal: AbortSignal,
): void {
  const observer = new IntersectionObserver(
    (entries) => tell(entries[entries.length - 1].isIntersecting),
    { rootMargin: "200px" },
  );
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}
