/** What KV events are made of. Whole numbers must be safe integers; larger ones are bigints. */
export type MsgpackValue =
  | null
  | number
  | bigint
  | string
  | Float
  | readonly MsgpackValue[]
  | { readonly [key: string]: MsgpackValue };

/** A number that is written as a double, whole or not. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** The msgpack bytes of a value, each number in its shortest form as msgspec writes them. */
export function encodeMsgpack(value: MsgpackValue): Buffer {
  const parts: Buffer[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: MsgpackValue, parts: Buffer[]): void {
  if (value === null) parts.push(Buffer.of(0xc0));
  else if (typeof value === "number") parts.push(integer(BigInt(value)));
  else if (typeof value === "bigint") parts.push(integer(value));
  else if (typeof value === "string") writeText(value, parts);
  else if (value instanceof Float) parts.push(float(value.value));
  else if (isList(value)) {
    parts.push(header(value.length, 0x90, 0xdc));
    for (const item of value) write(item, parts);
  } else {
    const fields = Object.entries(value);
    parts.push(header(fields.length, 0x80, 0xde));
    for (const [key, field] of fields) {
      writeText(key, parts);
      write(field, parts);
    }
  }
}

function isList(value: MsgpackValue): value is readonly MsgpackValue[] {
  return Array.isArray(value);
}

function integer(value: bigint): Buffer {
  if (value < 0n) return negative(value);
  if (value < 0x80n) return Buffer.of(Number(value));
  if (value < 0x100n) return Buffer.of(0xcc, Number(value));
  if (value < 0x10000n) return tagged(0xcd, 2, (bytes) => bytes.writeUInt16BE(Number(value), 1));
  if (value < 0x100000000n) return tagged(0xce, 4, (bytes) => bytes.writeUInt32BE(Number(value), 1));
  return tagged(0xcf, 8, (bytes) => bytes.writeBigUInt64BE(value, 1));
}

function negative(value: bigint): Buffer {
  if (value >= -0x20n) return Buffer.of(0x100 + Number(value));
  return tagged(0xd3, 8, (bytes) => bytes.writeBigInt64BE(value, 1));
}

function float(value: number): Buffer {
  return tagged(0xcb, 8, (bytes) => bytes.writeDoubleBE(value, 1));
}

/** Head of a list or map: the short form holds 15 items, the next 65,535, the last 2^32 - 1. */
function header(length: number, short: number, long: number): Buffer {
  if (length < 16) return Buffer.of(short | length);
  if (length < 0x10000) return tagged(long, 2, (bytes) => bytes.writeUInt16BE(length, 1));
  return tagged(long + 1, 4, (bytes) => bytes.writeUInt32BE(length, 1));
}

function writeText(text: string, parts: Buffer[]): void {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  if (length < 32) parts.push(Buffer.of(0xa0 | length));
  else if (length < 0x100) parts.push(Buffer.of(0xd9, length));
  else parts.push(tagged(0xdb, 4, (head) => head.writeUInt32BE(length, 1)));
  parts.push(bytes);
}

function tagged(tag: number, size: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = tag;
  fill(bytes);
  return bytes;
}
