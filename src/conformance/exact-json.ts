import { isAlias, isMap, isScalar, isSeq, parseDocument, type Node } from "yaml";

/**
 * A way in which a document differs from the one it was made from. `number`: the digits changed, as when
 * an integer above 2^53 goes through a double; `order`: the members of an object stand in another order.
 */
export interface JsonDifference {
  readonly kind: "number" | "order" | "missing" | "added" | "value";
  /** e.g. `kv_transfer_params.remote_block_ids[0]`. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Compares two JSON documents digit by digit and in the order of their members, which JSON.parse cannot.
 * JSON is a subset of YAML 1.2, whose parser here keeps both.
 *
 * @param ignored Names of members of the outermost object that are not compared.
 */
export function compareJson(
  before: string,
  after: string,
  ignored: ReadonlySet<string> = new Set(),
): JsonDifference[] {
  const found: JsonDifference[] = [];
  compareNodes(exactTree(before), exactTree(after), "", ignored, found);
  return found;
}

/** True for a number that is only spelt in another way, e.g. `1.50` as `1.5`, where a double holds it exactly. */
export function isSpelling({ kind, before, after }: JsonDifference): boolean {
  return (
    kind === "number" &&
    Number(before) === Number(after) &&
    Math.abs(Number(before)) <= Number.MAX_SAFE_INTEGER
  );
}

/** The text of the value at `path` of a JSON document, as it stands; null where there is none. */
export function textAt(document: string, path: readonly string[]): string | null {
  let node: Node | null = exactTree(document);
  for (const name of path) {
    if (!isMap(node)) return null;
    // Of members that occur twice parsers take the last.
    node = entriesOf(node).findLast(([key]) => key === name)?.[1] ?? null;
  }
  if (node?.range == null) return null;
  const [start, end] = node.range;
  return document.slice(start, end);
}

function exactTree(document: string): Node | null {
  return parseDocument(document, { schema: "json", uniqueKeys: false, strict: false }).contents;
}

function compareNodes(
  before: Node | null,
  after: Node | null,
  path: string,
  ignored: ReadonlySet<string>,
  found: JsonDifference[],
): void {
  const differs = (kind: JsonDifference["kind"]): void => {
    found.push({
      kind,
      path: path === "" ? "(document)" : path,
      before: textOf(before),
      after: textOf(after),
    });
  };
  if (isMap(before) && isMap(after)) {
    const [a, b] = [before, after].map((map) => entriesOf(map).filter(([key]) => !ignored.has(key)));
    compareMembers(a!, b!, path, found);
  } else if (isSeq(before) && isSeq(after)) {
    if (before.items.length !== after.items.length) {
      differs("value");
      return;
    }
    before.items.forEach((item, i) => {
      compareNodes(item as Node, after.items[i] as Node, `${path}[${i}]`, NOTHING, found);
    });
  } else if (isScalar(before) && isScalar(after)) {
    if (typeof before.value === "number" && typeof after.value === "number") {
      if (before.source !== after.source) differs("number");
    } else if (before.value !== after.value) differs("value");
  } else differs("value");
}

const NOTHING: ReadonlySet<string> = new Set();

function compareMembers(
  before: readonly (readonly [string, Node])[],
  after: readonly (readonly [string, Node])[],
  path: string,
  found: JsonDifference[],
): void {
  const names = (entries: readonly (readonly [string, Node])[]) => entries.map(([key]) => key);
  const below = (key: string) => (path === "" ? key : `${path}.${key}`);
  const [a, b] = [names(before), names(after)];
  for (const [key, value] of before) {
    const other = after.findLast(([name]) => name === key)?.[1];
    if (other === undefined)
      found.push({ kind: "missing", path: below(key), before: textOf(value), after: "" });
    else compareNodes(value, other, below(key), NOTHING, found);
  }
  for (const [key, value] of after) {
    if (!a.includes(key)) found.push({ kind: "added", path: below(key), before: "", after: textOf(value) });
  }
  const [keptA, keptB] = [a.filter((key) => b.includes(key)), b.filter((key) => a.includes(key))];
  if (keptA.join("\n") !== keptB.join("\n")) {
    found.push({
      kind: "order",
      path: path === "" ? "(document)" : path,
      before: keptA.join(),
      after: keptB.join(),
    });
  }
}

function entriesOf(map: { readonly items: readonly unknown[] }): (readonly [string, Node])[] {
  return (map.items as { key: { value: unknown }; value: Node }[]).map(({ key, value }) => [
    String(key.value),
    value,
  ]);
}

function textOf(node: Node | null): string {
  if (node === null || isAlias(node)) return "nothing";
  return isScalar(node) ? (node.source ?? JSON.stringify(node.value)) : JSON.stringify(node.toJSON());
}
