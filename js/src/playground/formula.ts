/** A formula that the reader types, as a function; nothing of it is run as code. */

type Value = (variables: readonly number[]) => number;

const NAMES = ["sin", "cos", "tan", "tanh", "atan", "exp", "log", "sqrt", "abs", "sign"] as const;
const FUNCTIONS = new Map<string, (x: number) => number>(NAMES.map((name) => [name, Math[name]]));
const CONSTANTS = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
]);

/** Names of variables in the order of a formula's arguments. */
const VARIABLES = ["x", "y", "z", "u", "v", "w"];
const KNOWN = [...VARIABLES, ...CONSTANTS.keys(), ...NAMES].join(", ");

const TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)|([a-z]+)|(\*\*|[-+*/^(),]))/iy;

interface Formula {
  /** Those of x, y, z, u, v, w that occur, in this order. */
  variables: string[];
  /** Its value at numbers in the order of the variables. */
  at: Value;
}

/** Reads a formula such as "exp(sin(pi*x) + y^2)"; throws an Error that says where and why it is none. */
export function readFormula(text: string): Formula {
  const tokens = tokensOf(text);
  const used = VARIABLES.filter((name) => tokens.includes(name));
  if (used.length === 0) throw new Error(`“${text}” has no variable: expected one of x, y, z.`);
  let next = 0;

  const take = (token: string) => tokens[next] === token && next++ >= 0;
  const expect = (token: string) => {
    if (!take(token)) throw new Error(`Expected “${token}” ${placeOf(tokens, next)}.`);
  };

  function sum(): Value {
    let value = product();
    for (;;) {
      const left = value;
      if (take("+")) value = both(left, product(), (a, b) => a + b);
      else if (take("-")) value = both(left, product(), (a, b) => a - b);
      else return value;
    }
  }

  function product(): Value {
    let value = signed();
    for (;;) {
      const left = value;
      if (take("*")) value = both(left, signed(), (a, b) => a * b);
      else if (take("/")) value = both(left, signed(), (a, b) => a / b);
      // 2x and 3 sin(x): a factor may stand beside another.
      else if (/^[\d.(a-z]/i.test(tokens[next] ?? "")) value = both(left, power(), (a, b) => a * b);
      else return value;
    }
  }

  function signed(): Value {
    if (take("+")) return signed();
    if (!take("-")) return power();
    const value = signed();
    return (x) => -value(x);
  }

  function power(): Value {
    const base = atom();
    return take("^") || take("**") ? both(base, signed(), (a, b) => a ** b) : base;
  }

  function atom(): Value {
    const token = tokens[next];
    if (take("(")) {
      const value = sum();
      expect(")");
      return value;
    }
    if (token === undefined) throw new Error("The formula ends too early.");
    next++;
    if (/^[\d.]/.test(token)) return () => Number(token);
    const constant = CONSTANTS.get(token);
    if (constant !== undefined) return () => constant;
    const index = used.indexOf(token);
    if (index >= 0) return (x) => x[index];
    const f = FUNCTIONS.get(token);
    if (!f) throw new Error(`Unknown: “${token}”. Known are ${KNOWN}.`);
    expect("(");
    const argument = sum();
    expect(")");
    return (x) => f(argument(x));
  }

  const at = sum();
  if (next < tokens.length) throw new Error(`Expected an operator ${placeOf(tokens, next)}.`);
  return { variables: used, at };
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    tokens.push((found[1] ?? found[2] ?? found[3]).toLowerCase());
    end = TOKEN.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest) throw new Error(`Unknown: “${rest[0]}”. Known are + − * / ^ ( ), ${KNOWN}.`);
  return tokens;
}

const placeOf = (tokens: readonly string[], next: number) =>
  next < tokens.length ? `before “${tokens[next]}”` : "at the end";

function both(left: Value, right: Value, f: (a: number, b: number) => number): Value {
  return (x) => f(left(x), right(x));
}
