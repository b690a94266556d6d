/** Listens to the events of a model for as long as a signal lasts. */

interface Speaker {
  on(event: string, handler: never): void;
  off(event: string, handler: never): void;
}

export function hear(
  model: Speaker,
  handlers: Readonly<Record<string, (...news: never[]) => void>>,
  signal: AbortSignal,
): void {
  const listeners = Object.entries(handlers);
  for (const [event, handler] of listeners) model.on(event, handler as never);
  const end = () => {
    for (const [event, handler] of listeners) model.off(event, handler as never);
  };
  signal.addEventListener("abort", end, { once: true });
}

/** Calls `changed` with the name of a trait whenever it changes. */
export function watchTraits(
  model: Speaker,
  traits: readonly string[],
  changed: (trait: string) => void,
  signal: AbortSignal,
): void {
  const handlers = traits.map((trait) => [`change:${trait}`, () => changed(trait)] as const);
  hear(model, Object.fromEntries(handlers), signal);
}
