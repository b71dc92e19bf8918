import type { Random } from "../../../src/values/random.js";

/** Malformed and barely well-formed input, drawn from a seeded stream: the same seed gives the same case. */

const WORDS = [
  ...[
    "prompt",
    "messages",
    "max_tokens",
    "stream",
    "kv_transfer_params",
    "model",
    "n",
    "input",
    "session_id",
  ],
  ...[
    "content",
    "role",
    "user",
    "text",
    "sampling_params",
    "token_ids",
    "__proto__",
    "constructor",
    "",
    "\u0000",
  ],
];
const SCALARS = [
  ...["null", "true", "false", "0", "-0", "1e999", "-1", "9223372036854775807", "1.5e-7", '""', '"x"'],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"\\"',
    "NaN",
    "undefined",
    "01",
    "+1",
    ".5",
    "'x'",
    '"\u2028"',
    '"\ud83d\ude00"',
  ],
];
const JUNK = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\u0000",
  "\n",
  "\ufeff",
  "/*",
  "//",
  "\u00e9",
  "1",
  "tru",
];

/** JSON text that may be broken: nested values, then a few edits of its characters. */
export function jsonText(random: Random): string {
  let text = random.nextFloat() < 0.05 ? deepText(random) : valueText(random, 4);
  const edits = random.nextFloat() < 0.4 ? 0 : 1 + random.nextInt(4);
  for (let i = 0; i < edits; i++) text = edited(random, text);
  return text;
}

/** The bytes of such a text, some of them no UTF-8. */
export function jsonBytes(random: Random): Buffer {
  const bytes = Buffer.from(jsonText(random));
  if (bytes.length > 0 && random.nextFloat() < 0.2) bytes[random.nextInt(bytes.length)] = random.nextInt(256);
  return bytes;
}

function valueText(random: Random, depth: number): string {
  const kind = depth === 0 ? 2 : random.nextInt(4);
  if (kind === 0)
    return `{${list(random, () => `"${pick(random, WORDS)}":${valueText(random, depth - 1)}`)}}`;
  if (kind === 1) return `[${list(random, () => valueText(random, depth - 1))}]`;
  return pick(random, SCALARS);
}

function deepText(random: Random): string {
  const depth = 1 + random.nextInt(3000);
  const open = pick(random, ["[", '{"a":', '{"messages":[']);
  return open.repeat(depth) + (random.nextFloat() < 0.5 ? "1" : "");
}

function edited(random: Random, text: string): string {
  const at = random.nextInt(text.length + 1);
  switch (random.nextInt(3)) {
    case 0:
      return text.slice(0, at) + pick(random, JUNK) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.nextInt(3));
    default:
      return text.slice(0, at);
  }
}

const METHODS = [
  "POST",
  "GET",
  "PUT",
  "OPTIONS",
  "DELETE",
  "HEAD",
  "TRACE",
  "PATCH",
  "post",
  "",
  "POST POST",
];
const TARGETS = [
  ...["/v1/completions", "/v1/chat/completions", "/v1/responses", "/inference/v1/generate", "/v1/models"],
  ...["/", "//", "/%00", "/v1/../metrics", "*", "http://evil/", "/a?b=%", "/\u00ff", "/a#b", "", "/x y"],
];
const VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.11", "http/1.1", ""];
const HEADERS = [
  ...[
    "Host: a",
    "Host:",
    "Connection: close",
    "Connection: x, keep-alive",
    "Expect: 100-continue",
    "Expect: x",
  ],
  ...[
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding : chunked",
    "Content-Length: x",
  ],
  ...[
    "Content-Length: -1",
    "Content-Length: 18446744073709551616",
    "X: \r y",
    " folded: 1",
    "\tx",
    ": x",
    "no colon",
  ],
  ...[
    "X-Request-Id: \u0001",
    "X-Session-Id: \u00e9",
    "Upgrade: websocket",
    "Content_Length: 3",
    "A: ".padEnd(9000, "a"),
  ],
  ...[
    "Trailer: Content-Length",
    "TE: trailers",
    "Authorization: Basic %%%",
    "Content-Encoding: gzip",
    "\u0000: x",
  ],
];
const ENDS = ["\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", ""];

/** A request as bytes on a socket, wrong in one or several ways, cut off at times. */
export function httpBytes(random: Random): Buffer {
  // Half of the cases have a sound first line, so that what is wrong comes late.
  const isTidy = random.nextFloat() < 0.5;
  const body =
    isTidy && random.nextFloat() < 0.5 ? Buffer.from('{"prompt":"x","max_tokens":2}') : jsonBytes(random);
  const end = isTidy ? "\r\n" : pick(random, ENDS);
  const lines = [
    isTidy
      ? "POST /v1/completions HTTP/1.1"
      : `${pick(random, METHODS)} ${pick(random, TARGETS)} ${pick(random, VERSIONS)}`.trim(),
  ];
  const isFramed = random.nextFloat() < 0.6;
  if (random.nextFloat() < 0.8) lines.push("Host: a");
  if (isFramed)
    lines.push(`Content-Length: ${body.length + (random.nextFloat() < 0.2 ? random.nextInt(5) - 2 : 0)}`);
  for (let i = random.nextInt(4); i > 0; i--)
    lines.splice(1 + random.nextInt(lines.length), 0, pick(random, HEADERS));
  const head = Buffer.from(`${lines.join(end)}${end}${end}`, "latin1");
  const bytes = Buffer.concat([head, isFramed || random.nextFloat() < 0.5 ? body : chunksOf(random, body)]);
  if (random.nextFloat() < 0.2) bytes[random.nextInt(bytes.length)] = random.nextInt(256);
  return random.nextFloat() < 0.2 ? bytes.subarray(0, random.nextInt(bytes.length)) : bytes;
}

function chunksOf(random: Random, body: Buffer): Buffer {
  const size = pick(random, [body.length.toString(16), "0", "-1", "fffffffffffffffff", "x", "1;a=b", ""]);
  return Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);
}

function list(random: Random, item: () => string): string {
  return Array.from({ length: random.nextInt(4) }, item).join(",");
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.nextInt(items.length)]!;
}
