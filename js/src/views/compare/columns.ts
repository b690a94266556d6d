/** How many stand beside each other. No DOM. */

/** As many as there is room for, in rows that are about equally long. */
export function evenColumns(count: number, width: number, narrowest: number, gap: number): number {
  const most = Math.max(1, Math.floor((width + gap) / (narrowest + gap)));
  const rows = Math.max(1, Math.ceil(count / most));
  return Math.max(1, Math.ceil(count / rows));
}
