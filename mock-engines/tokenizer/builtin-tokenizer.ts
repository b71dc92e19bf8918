import type { Tokenizer } from "./tokenizer.js";

/**
 * The built-in tokenizer: needs no file, splits by rule instead of by vocabulary, and any id can be turned back
 * into the text it stands for. One token is
 *
 * - up to six letters of a word, the first of which may be a capital, with the space before the word;
 * - up to three digits, with the space before the number;
 * - up to three bytes of anything else in UTF-8, never splitting a character of three bytes or less;
 * - one of the marks `<|im_start|>`, `<|im_end|>` and `<|endoftext|>`.
 *
 * English text and source code come to 3.4 to 3.8 characters a token. A word starts a token whatever stands
 * before it, so a text keeps its tokens when another is put in front of it at a word's start.
 */

const LETTERS = 26;
const MAX_LETTERS = 6;
const MAX_DIGITS = 3;
const MAX_BYTES = 3;

/** `[n]` is the number of strings of 1..n symbols of an alphabet, so the rank of the first string of n + 1. */
function shorterStrings(alphabet: number, maxLength: number): number[] {
  const counts = [0];
  for (let length = 1; length <= maxLength; length++) counts.push(counts[length - 1]! + alphabet ** length);
  return counts;
}

const SHORTER_WORDS = shorterStrings(LETTERS, MAX_LETTERS);
const SHORTER_NUMBERS = shorterStrings(10, MAX_DIGITS);
const SHORTER_BYTES = shorterStrings(256, MAX_BYTES);
const WORDS = SHORTER_WORDS[MAX_LETTERS]!;
const NUMBERS = SHORTER_NUMBERS[MAX_DIGITS]!;
const BYTES = SHORTER_BYTES[MAX_BYTES]!;

// Ids in order: bytes, numbers, spaced numbers, then words by (space before, first letter a capital).
const NUMBER_BASE = BYTES;
const WORD_BASE = NUMBER_BASE + 2 * NUMBERS;
const MARK_BASE = WORD_BASE + 4 * WORDS;
const MARKS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"] as const;

const SPACE = 32;

export const builtinTokenizer: Tokenizer = {
  name: "builtin",
  vocabularySize: MARK_BASE + MARKS.length,
  chatMarks: { start: MARK_BASE, end: MARK_BASE + 1 },
  encode,
  decode,
  tokenText: (id) => decode([id]),
};

function encode(text: string): number[] {
  const ids: number[] = [];
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    const spaced = code === SPACE && at + 1 < text.length;
    const first = spaced ? text.charCodeAt(at + 1) : code;
    if (isLetter(first)) at = encodeWord(text, spaced ? at + 1 : at, spaced, ids);
    else if (isDigit(first)) at = encodeNumber(text, spaced ? at + 1 : at, spaced, ids);
    else at = encodeMark(text, at, ids) ?? encodeBytes(text, at, ids);
  }
  return ids;
}

/** Letters from `at`: a token ends after six of them, or before a capital. */
function encodeWord(text: string, at: number, spaced: boolean, ids: number[]): number {
  const capital = text.charCodeAt(at) < 97;
  let rank = 0;
  let length = 0;
  for (; at < text.length && length < MAX_LETTERS; at++, length++) {
    const code = text.charCodeAt(at);
    if (!(isLower(code) || (length === 0 && capital))) break;
    rank = rank * LETTERS + ((code | 0x20) - 97);
  }
  const variant = (spaced ? 2 : 0) + (capital ? 1 : 0);
  ids.push(WORD_BASE + variant * WORDS + SHORTER_WORDS[length - 1]! + rank);
  return at;
}

function encodeNumber(text: string, at: number, spaced: boolean, ids: number[]): number {
  let rank = 0;
  let length = 0;
  for (; at < text.length && length < MAX_DIGITS && isDigit(text.charCodeAt(at)); at++, length++) {
    rank = rank * 10 + text.charCodeAt(at) - 48;
  }
  ids.push(NUMBER_BASE + (spaced ? NUMBERS : 0) + SHORTER_NUMBERS[length - 1]! + rank);
  return at;
}

/** The end of the mark that starts at `at`, or null when none does. */
function encodeMark(text: string, at: number, ids: number[]): number | null {
  if (text.charCodeAt(at) !== 60 || text.charCodeAt(at + 1) !== 124) return null;
  const mark = MARKS.findIndex((name) => text.startsWith(name, at));
  if (mark < 0) return null;
  ids.push(MARK_BASE + mark);
  return at + MARKS[mark]!.length;
}

/** Characters that begin no word, number or mark, up to three bytes; a character of four bytes is two tokens. */
function encodeBytes(text: string, at: number, ids: number[]): number {
  let rank = 0;
  let length = 0;
  while (at < text.length && (length === 0 || !beginsToken(text, at))) {
    const character = text.codePointAt(at)!;
    const size = utf8Length(character);
    if (size > MAX_BYTES) {
      if (length > 0) break;
      const bytes = utf8(character);
      pushBytes(bytes.slice(0, 2), ids);
      pushBytes(bytes.slice(2), ids);
      return at + 2;
    }
    if (length + size > MAX_BYTES) break;
    for (const byte of utf8(character)) rank = rank * 256 + byte;
    length += size;
    at++;
  }
  ids.push(SHORTER_BYTES[length - 1]! + rank);
  return at;
}

function pushBytes(bytes: readonly number[], ids: number[]): void {
  let rank = 0;
  for (const byte of bytes) rank = rank * 256 + byte;
  ids.push(SHORTER_BYTES[bytes.length - 1]! + rank);
}

function beginsToken(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (isLetter(code) || isDigit(code)) return true;
  if (code === SPACE) {
    const next = text.charCodeAt(at + 1);
    return isLetter(next) || isDigit(next);
  }
  return code === 60 && MARKS.some((mark) => text.startsWith(mark, at));
}

function decode(ids: ArrayLike<number>): string {
  const bytes: number[] = [];
  for (let i = 0; i < ids.length; i++) decodeToken(ids[i]!, bytes);
  return Buffer.from(bytes).toString("utf8");
}

function decodeToken(id: number, bytes: number[]): void {
  if (id >= MARK_BASE) {
    for (const byte of Buffer.from(MARKS[id - MARK_BASE] ?? "")) bytes.push(byte);
  } else if (id >= WORD_BASE) {
    const variant = Math.floor((id - WORD_BASE) / WORDS);
    if (variant >= 2) bytes.push(SPACE);
    const start = bytes.length;
    digits((id - WORD_BASE) % WORDS, LETTERS, 97, bytes);
    if (variant % 2 === 1) bytes[start]! -= 32;
  } else if (id >= NUMBER_BASE) {
    if (id >= NUMBER_BASE + NUMBERS) bytes.push(SPACE);
    digits((id - NUMBER_BASE) % NUMBERS, 10, 48, bytes);
  } else {
    digits(id, 256, 0, bytes);
  }
}

/** Writes the `rank`-th of all strings over an alphabet, shorter ones first. */
function digits(rank: number, alphabet: number, zero: number, bytes: number[]): void {
  let length = 1;
  while (rank >= alphabet ** length) rank -= alphabet ** length++;
  for (let place = length - 1; place >= 0; place--) {
    bytes.push(zero + (Math.floor(rank / alphabet ** place) % alphabet));
  }
}

function isLower(code: number): boolean {
  return code >= 97 && code <= 122;
}

function isLetter(code: number): boolean {
  return isLower(code) || (code >= 65 && code <= 90);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function utf8Length(character: number): number {
  if (character < 0x80) return 1;
  if (character < 0x800) return 2;
  return character < 0x10000 ? 3 : 4;
}

/** A lone surrogate becomes U+FFFD, as in every UTF-8 encoder. */
function utf8(character: number): number[] {
  if (character < 0x80) return [character];
  if (character < 0x800) return [0xc0 | (character >> 6), 0x80 | (character & 0x3f)];
  if (character >= 0xd800 && character <= 0xdfff) return [0xef, 0xbf, 0xbd];
  if (character < 0x10000) {
    return [0xe0 | (character >> 12), 0x80 | ((character >> 6) & 0x3f), 0x80 | (character & 0x3f)];
  }
  return [
    0xf0 | (character >> 18),
    0x80 | ((character >> 12) & 0x3f),
    0x80 | ((character >> 6) & 0x3f),
    0x80 | (character & 0x3f),
  ];
}
