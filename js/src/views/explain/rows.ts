/** The shares of a layer as lists: what adds up to the whole, and below it the largest single ones. No DOM. */

import { counted, outputName } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import { type MapOf, mapOf, nameOf, type Part, signed, signedAlike } from "./content.ts";

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
  words: string;
}

/** A row before it is known in how many decimals all of them are printed. */
type Share = Omit<Row, "text">;

export interface List {
  /** "groups" add up to the whole; "bars" are single shares. */
  name: "groups" | "bars";
  /** The first that fits is its heading. */
  headings: string[];
  rows: Row[];
}

type Shares = Omit<List, "rows"> & { rows: Share[] };

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
export function listsOf(part: Part, most: number, mostGroups: number, selected: number): List[] {
  const lists = unprinted(part, most, mostGroups, selected);
  const summands = lists.flatMap(({ rows }) => rows.filter(({ kind }) => kind !== "total"));
  const text = signedAlike(summands.map(({ value }) => value));
  const printed = (row: Share): Row => ({ ...row, text: text(row.value) });
  return lists.map((list) => ({ ...list, rows: list.rows.map(printed) }));
}

function unprinted(part: Part, most: number, mostGroups: number, selected: number): Shares[] {
  const one = oneOf(part);
  const whole = wholeOf(part);
  const groups = part.values.length > most ? groupsOf(part) : [];
  if (groups.length === 0) {
    const rows = part.order.map((k) => shareRow(part, k));
    const headings = [`what each ${one.one} adds to the score`, `what each ${one.one} adds`];
    return [{ name: "bars", headings, rows: summed(part, rows, most, selected, whole) }];
  }
  const by = part.kind === "functions" ? "channel" : part.shared ? "kernel" : "output channel";
  const rows = groups.map((group) => groupRow(part, group));
  rows.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = part.order.slice(0, most);
  if (selected >= 0 && !shown.includes(selected)) shown.push(selected);
  const count = formatCount(part.values.length);
  return [
    {
      name: "groups",
      headings: [`what each ${by} adds to the score`, `what each ${by} adds`],
      rows: summed(part, rows, mostGroups, selected, whole),
    },
    {
      name: "bars",
      headings: [
        `the largest of the ${count} ${one.all}, each counted in its ${by}`,
        `the largest of the ${count} ${one.all}`,
      ],
      rows: shown.map((k) => shareRow(part, k)),
    },
  ];
}

/** What a share is of: a shared kernel has one for each channel that it reads. */
function oneOf({ kind, shared, columns }: Part): { one: string; all: string } {
  if (kind === "functions") return { one: "function", all: "functions" };
  if (shared && columns > 1)
    return { one: "kernel on a channel", all: "pairs of kernel and channel" };
  return { one: "kernel", all: "kernels" };
}

function wholeOf(part: Part): string {
  const { kind, shared, rows, columns, values } = part;
  if (kind === "kernels" && shared && columns > 1)
    return `all ${counted(rows, "kernel")} on all ${counted(columns, "channel")} together`;
  return `all ${counted(values.length, kind.slice(0, -1))} together`;
}

/** The largest, the selected one, what the others add by their sign, and the whole. */
function summed(part: Part, rows: Share[], most: number, selected: number, whole: string): Share[] {
  const shown = rows.slice(0, rows.length > most + 1 ? most : rows.length);
  const chosen = rows.find((row) => selected >= 0 && row.has(selected));
  if (chosen && !shown.includes(chosen)) shown.push(chosen);
  const others = rows.filter((row) => !shown.includes(row));
  for (const [verb, some] of [
    ["raise", others.filter(({ value }) => !(value < 0))],
    ["lower", others.filter(({ value }) => value < 0)],
  ] as const) {
    if (some.length === 0) continue;
    const name = `${counted(some.length, "other")} that ${verb}${some.length === 1 ? "s" : ""} it`;
    shown.push(
      sumRow(
        part,
        "others",
        name,
        some.reduce((sum, { value }) => sum + value, 0),
      ),
    );
  }
  return rows.length > 1 ? [...shown, sumRow(part, "total", whole, part.sum)] : shown;
}

function groupsOf(part: Part): Group[] {
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

function ownerOf(part: Part): ((k: number) => string) | null {
  if (part.kind === "kernels") {
    const row = (k: number) => Math.floor(k / part.columns);
    if (part.shared) return (k) => outputName(part, row(k), "kernel");
    return (k) => `to ${outputName(part, row(k), "channel")}`;
  }
  if (!part.places) return null;
  const size = part.places[1] * part.places[2];
  return (k) => `channel ${Math.floor(k / size)}`;
}

function groupRow(part: Part, { name, members }: Group): Share {
  const value = sumOf(part.values, members);
  const beside = part.beside ? sumOf(part.beside, members) : Number.NaN;
  return {
    kind: "group",
    name,
    value,
    beside: part.kind === "functions" ? beside : Number.NaN,
    number: members[0],
    has: (k) => members.includes(k),
    map: part.kind === "functions" ? mapOf(part, members[0]) : joined(part, members),
    words: `${part.layer} · ${name}, ${counted(members.length, part.shared ? "channel" : part.kind.slice(0, -1))} · ${signed(value)}`,
  };
}

/** The sum of the maps of some kernels; null where not all of them were sent. */
function joined(part: Part, members: readonly number[]): MapOf | null {
  const maps = members.map((k) => mapOf(part, k));
  const [first] = maps;
  if (!first) return null;
  const data = new Float32Array(first.data.length);
  for (const map of maps) {
    if (!map) return null;
    for (let p = 0; p < data.length; p++) data[p] += map.data[p];
  }
  return { ...first, data };
}

function shareRow(part: Part, k: number): Share {
  const beside = part.beside ? part.beside[k] : Number.NaN;
  const also = Number.isNaN(beside) ? "" : ` · ${part.besideLabel} ${signed(beside)}`;
  const name = nameOf(part, k);
  return {
    kind: "share",
    name,
    value: part.values[k],
    beside,
    number: k,
    has: (other) => other === k,
    map: part.kind === "kernels" ? mapOf(part, k) : null,
    words: `${part.layer} · ${name} · ${signed(part.values[k])}${also}`,
  };
}

function sumRow(part: Part, kind: "others" | "total", name: string, value: number): Share {
  const words = `${part.layer} · ${name} · ${signed(value)}`;
  const rest = { beside: Number.NaN, number: -1, has: () => false, map: null, words };
  return { kind, name, value, ...rest };
}
