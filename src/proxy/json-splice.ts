/**
 * Edits a JSON document without parsing and re-serialising it: only the bytes of the edited members change.
 * Integers beyond 2^53, key order (JavaScript moves integer-like keys to the front), escapes, white space,
 * unknown and duplicate members survive. Byte-equal `messages` on both legs also mean equal prompt tokens.
 *
 * The documents have been through `JSON.parse` already, so the scanner checks no more than it needs to stay
 * in bounds: on anything that is not JSON it returns nothing rather than something wrong, and always ends.
 */

/** One member of a JSON object; offsets into the document. */
interface Member {
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  /** After the last byte of the value; white space that follows is not part of it. */
  readonly valueEnd: number;
}

interface ObjectShape {
  readonly members: readonly Member[];
  /** After the opening brace. */
  readonly contentStart: number;
}

/** Names of the members to go through, from the outermost object. */
export type JsonPath = readonly [string, ...string[]];

/**
 * Sets the member at `path` to `value` (JSON text), or removes it when `value` is null. A member that occurs
 * several times is set or removed in every place, so that any parser sees the same. A member that is absent
 * is added behind the last one, with the objects on its way; a value on the way that is no object is
 * replaced by one.
 */
export interface JsonEdit {
  readonly path: JsonPath;
  readonly value: string | Buffer | null;
}

interface Patch {
  readonly start: number;
  readonly end: number;
  readonly text: string | Buffer;
}

/** A copy of the document with the edits made; the document itself when there are none. */
export function spliceJson(document: Buffer, edits: readonly JsonEdit[]): Buffer {
  if (edits.length === 0) return document;
  const start = skipSpace(document, 0);
  if (document[start] !== OPEN_BRACE) return document;
  const patches: Patch[] = [];
  patchObject(document, start, edits, patches);
  return applyPatches(document, patches);
}

/** The bytes of the value at `path`, as they stand; null when there is none. Of duplicates the last. */
export function readJson(document: Buffer, path: JsonPath): Buffer | null {
  let start = skipSpace(document, 0);
  let end = -1;
  for (const name of path) {
    const member = scanObject(document, start)?.members.findLast((candidate) => candidate.name === name);
    if (member === undefined) return null;
    start = member.valueStart;
    end = member.valueEnd;
  }
  return document.subarray(start, end);
}

function patchObject(bytes: Buffer, start: number, edits: readonly JsonEdit[], patches: Patch[]): void {
  const shape = scanObject(bytes, start);
  if (shape === null) return;
  const { members, contentStart } = shape;
  const removed = new Set<Member>();
  const added: (string | Buffer)[] = [];
  for (const name of new Set(edits.map(({ path }) => path[0]))) {
    const present = members.filter((member) => member.name === name);
    const change = changeOf(name, edits);
    if (present.length === 0 && change.value !== null)
      added.push(`${JSON.stringify(name)}:`, change.value, ",");
    for (const member of present) {
      if (change.inner.length > 0 && bytes[member.valueStart] === OPEN_BRACE) {
        patchObject(bytes, member.valueStart, change.inner, patches);
      } else if (change.inner.length === 0 && change.value === null) removed.add(member);
      else if (change.value !== null) {
        patches.push({ start: member.valueStart, end: member.valueEnd, text: change.value });
      }
    }
  }
  removeMembers(members, removed, contentStart, patches);
  if (added.length === 0) return;
  added.pop();
  const at = members.at(-1)?.valueEnd ?? contentStart;
  if (removed.size < members.length) added.unshift(",");
  for (const text of added) patches.push({ start: at, end: at, text });
}

/** What happens to the member `name`: it gets `value`, or, where it is an object, the `inner` edits. */
function changeOf(
  name: string,
  edits: readonly JsonEdit[],
): { value: string | Buffer | null; inner: JsonEdit[] } {
  let value: string | Buffer | null = null;
  const inner: JsonEdit[] = [];
  for (const { path, value: edited } of edits) {
    if (path[0] !== name) continue;
    const [, next, ...rest] = path;
    if (next === undefined) value = edited;
    else inner.push({ path: [next, ...rest], value: edited });
  }
  if (inner.some((edit) => edit.value !== null)) value = spliceJson(EMPTY_OBJECT, inner);
  return { value, inner };
}

/** Members of the end of an object take the comma before them along, others the comma behind them. */
function removeMembers(
  members: readonly Member[],
  removed: ReadonlySet<Member>,
  contentStart: number,
  patches: Patch[],
): void {
  const lastKept = members.findLastIndex((member) => !removed.has(member));
  for (let i = 0; i < lastKept; i++) {
    if (removed.has(members[i]!))
      patches.push({ start: members[i]!.start, end: members[i + 1]!.start, text: "" });
  }
  if (lastKept === members.length - 1) return;
  const start = lastKept < 0 ? contentStart : members[lastKept]!.valueEnd;
  patches.push({ start, end: members.at(-1)!.valueEnd, text: "" });
}

function applyPatches(document: Buffer, patches: Patch[]): Buffer {
  patches.sort((a, b) => a.start - b.start || a.end - b.end);
  const parts: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of patches) {
    if (start > from) parts.push(document.subarray(from, start));
    if (text.length > 0) parts.push(typeof text === "string" ? Buffer.from(text) : text);
    from = Math.max(from, end);
  }
  parts.push(document.subarray(from));
  return Buffer.concat(parts);
}

const EMPTY_OBJECT = Buffer.from("{}");

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The members of the object that starts at `start`; null when there is no well-formed object. */
function scanObject(bytes: Buffer, start: number): ObjectShape | null {
  if (bytes[start] !== OPEN_BRACE) return null;
  const members: Member[] = [];
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === CLOSE_BRACE) return { members, contentStart: start + 1 };
  for (;;) {
    const nameEnd = skipString(bytes, at);
    if (nameEnd < 0) return null;
    const colon = skipSpace(bytes, nameEnd);
    if (bytes[colon] !== COLON) return null;
    const valueStart = skipSpace(bytes, colon + 1);
    const valueEnd = skipValue(bytes, valueStart);
    if (valueEnd <= valueStart) return null;
    members.push({ name: nameAt(bytes, at, nameEnd), start: at, valueStart, valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === CLOSE_BRACE) return { members, contentStart: start + 1 };
    if (bytes[at] !== COMMA) return null;
    at = skipSpace(bytes, at + 1);
  }
}

function nameAt(bytes: Buffer, start: number, end: number): string {
  const name = bytes.toString("utf8", start + 1, end - 1);
  if (!name.includes("\\")) return name;
  try {
    return JSON.parse(`"${name}"`) as string;
  } catch {
    return name;
  }
}

function skipSpace(bytes: Buffer, at: number): number {
  let byte = bytes[at];
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at];
  return at;
}

/** After the closing quote of the string that starts at `at`, or -1. A quote behind an odd run of backslashes is text. */
function skipString(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return -1;
  let quote = at;
  for (;;) {
    quote = bytes.indexOf(QUOTE, quote + 1);
    if (quote < 0) return -1;
    let before = quote;
    while (bytes[before - 1] === BACKSLASH) before--;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
}

/** After the last byte of the value that starts at `at`; `at` or less when there is none. */
function skipValue(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(bytes, at);
  let end = at;
  while (end < bytes.length && !endsScalar(bytes[end]!)) end++;
  return end;
}

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20;
}

function skipNested(bytes: Buffer, at: number): number {
  let depth = 0;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      if (at < 0) return -1;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    at++;
    if (depth === 0) return at;
  }
  return -1;
}
