/** The shares of a layer as lists: what adds up to the whole, and below it the largest single ones. */

import { counted, outputName } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import {
  type LayerShares,
  type MapOf,
  type ShareCurves,
  shareMap,
  shareName,
  signed,
  signedAlike,
} from "./content.ts";

export interface Row {
  kind: "group" | "share" | "others" | "total";
  name: string;
  value: number;
  /** The value as it is printed, in as many decimals as all others of the lists. */
  text: string;
  /** NaN where there is nothing to compare with. */
  beside: number;
  /** The share to select; −1 for none. */
  number: number;
  /** Whether this row stands for a share. */
  has(k: number): boolean;
  map: MapOf | null;
  curves: ShareCurves | undefined;
  words: string;
}

export interface List {
  /** "groups" add up to the whole; "bars" are single shares, "curves" these as functions; "maps" are of some rows. */
  name: "groups" | "bars" | "curves" | "maps";
  /** The first that fits is its heading. */
  headings: string[];
  rows: Row[];
}

/** What some shares belong to: a channel, or the output of a layer. */
interface Group {
  name: string;
  members: number[];
}

const sumOf = (numbers: ArrayLike<number>, of: readonly number[]): number =>
  of.reduce((sum, k) => sum + numbers[k], 0);

/**
 * Up to `most` shares and what all others add, so that the rows come to the whole. Where there are more shares than that,
 * those are up to `mostGroups` channels or outputs that they belong to, and a second list has the largest shares themselves.
 */
export function listsOf(
  part: LayerShares,
  most: number,
  mostGroups: number,
  selected: number,
): List[] {
  const { one: singular, all } = wordsFor(part);
  const isFunctions = part.kind === "functions";
  const groups = part.values.length > most ? groupsOf(part) : [];
  const by = isFunctions ? "map" : part.shared ? "kernel" : "output channel";
  const shown = part.order.slice(0, most);
  if (selected >= 0 && !shown.includes(selected)) shown.push(selected);
  const count = formatCount(part.values.length);
  const article = shown.length < part.values.length ? "the largest of the" : "the";
  const largest = shown.length > 1 ? `${article} ${count} ${all}` : `the ${singular}`;
  const isGrouped = groups.length > 0;
  const each = isGrouped ? by : singular;
  const adding = isGrouped
    ? groups
        .map((group) => groupRow(part, group))
        .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    : part.order.map((k) => shareRow(part, k));
  const whole = part.scores.length < 2 ? "output" : "score";
  const headings = [`what each ${each} adds to the ${whole}`, `what each ${each} adds`];
  const listed = summed(part, adding, isGrouped ? mostGroups : most, selected);
  const lists: List[] = [{ name: isGrouped ? "groups" : "bars", headings, rows: listed }];
  const name = isFunctions ? "curves" : "bars";
  const how = isFunctions ? ": a dot at the input" : `, each counted in its ${by}`;
  const rows = shown.map((k) => shareRow(part, k));
  const named = [
    largest + how,
    largest,
    article === "the" ? largest : `the ${shown.length} largest`,
  ];
  if (isFunctions || isGrouped) lists.push({ name, headings: named, rows });
  const printed = lists.flatMap(({ rows }) => rows);
  // What is summed up is much larger than what is to be told apart.
  const single = printed.filter(({ kind }) => kind === "share" || kind === "group");
  const text = signedAlike(
    single.map(({ value }) => value),
    part.scores.length < 2 ? 3 : 2,
  );
  for (const row of printed) row.text = text(row.value);
  return lists;
}

/** What a share is of: a shared kernel has one for each channel that it reads. */
function wordsFor({ kind, shared, columns }: LayerShares): { one: string; all: string } {
  if (kind === "functions") return { one: "function", all: "functions" };
  if (shared && columns > 1)
    return { one: "kernel on a channel", all: "pairs of kernel and channel" };
  return { one: "kernel", all: "kernels" };
}

function wholeOf(part: LayerShares): string {
  const { kind, shared, rows, columns, values } = part;
  if (kind === "kernels" && shared && columns > 1) return `all ${counted(rows, "kernel")} together`;
  return `all ${counted(values.length, kind.slice(0, -1))} together`;
}

/** The largest, the selected one, what the others add by their sign, and the whole. */
function summed(part: LayerShares, rows: Row[], most: number, selected: number): Row[] {
  const shown = rows.slice(0, rows.length > most + 1 ? most : rows.length);
  const chosen = rows.find((row) => selected >= 0 && row.has(selected));
  if (chosen && !shown.includes(chosen)) shown.push(chosen);
  const others = rows.filter((row) => !shown.includes(row));
  for (const verb of ["raise", "lower"]) {
    const some = others.filter(({ value }) => value < 0 === (verb === "lower"));
    if (some.length === 0) continue;
    const name = `${counted(some.length, "other")} that ${verb}${some.length === 1 ? "s" : ""} it`;
    const sum = some.reduce((all, { value }) => all + value, 0);
    shown.push(rowOf(part, { kind: "others", name, value: sum }));
  }
  if (rows.length < 2) return shown;
  return [...shown, rowOf(part, { kind: "total", name: wholeOf(part), value: part.sum })];
}

function groupsOf(part: LayerShares): Group[] {
  const owner = ownerOf(part);
  if (!owner) return [];
  const groups = new Map<string, Group>();
  for (const k of part.order) {
    const name = owner(k);
    const group = groups.get(name) ?? { name, members: [] };
    group.members.push(k);
    groups.set(name, group);
  }
  const several = groups.size > 1 && groups.size < part.values.length;
  return several ? [...groups.values()] : [];
}

function ownerOf(part: LayerShares): ((k: number) => string) | null {
  if (part.kind === "kernels") {
    const row = (k: number) => Math.floor(k / part.columns);
    if (part.shared) return (k) => outputName(part, row(k), "kernel");
    return (k) => `to ${outputName(part, row(k), "channel")}`;
  }
  if (!part.places) return null;
  const size = part.places[1] * part.places[2];
  return (k) => `map ${Math.floor(k / size)}`;
}

/** A row of some kind; by itself it is no share. */
function rowOf(part: LayerShares, own: Pick<Row, "kind" | "name" | "value"> & Partial<Row>): Row {
  const words = `${part.layer} · ${own.name} · ${signed(own.value)}`;
  const none = { text: "", beside: Number.NaN, number: -1, has: () => false, map: null };
  return { ...none, curves: undefined, words, ...own };
}

function groupRow(part: LayerShares, { name, members }: Group): Row {
  const value = sumOf(part.values, members);
  const isMap = part.kind === "functions";
  const count = counted(members.length, part.shared ? "channel" : part.kind.slice(0, -1));
  return rowOf(part, {
    kind: "group",
    name,
    value,
    beside: part.beside && isMap ? sumOf(part.beside, members) : Number.NaN,
    number: members[0],
    has: (k) => members.includes(k),
    map: isMap ? shareMap(part, members[0]) : joined(part, members),
    curves: part.shared ? curvesOf(part, members[0]) : undefined,
    words: `${part.layer} · ${name}, ${count} · ${signed(value)}`,
  });
}

/** The sum of the maps of some kernels; null where not all of them were sent. */
function joined(part: LayerShares, members: readonly number[]): MapOf | null {
  const maps = members.map((k) => shareMap(part, k));
  const [first] = maps;
  if (!first) return null;
  const data = new Float32Array(first.data.length);
  for (const map of maps) {
    if (!map) return null;
    for (let p = 0; p < data.length; p++) data[p] += map.data[p];
  }
  return { ...first, data };
}

function shareRow(part: LayerShares, k: number): Row {
  const beside = part.beside ? part.beside[k] : Number.NaN;
  const name = shareName(part, k);
  const own = rowOf(part, { kind: "share", name, value: part.values[k], beside, number: k });
  const curves = curvesOf(part, k);
  const also = Number.isNaN(beside) ? "" : ` · ${part.besideLabel} ${signed(beside)}`;
  const map = part.kind === "kernels" ? shareMap(part, k) : null;
  return { ...own, has: (other) => other === k, map, curves, words: own.words + also };
}

const curvesOf = ({ curves, shared, columns }: LayerShares, k: number) =>
  curves.get(shared ? Math.floor(k / columns) : k);
