import type { RawTrace } from "../../workload/raw-trace.js";

/** Format of a trace as it travels; a reader of another one refuses it. */
const FORMAT = "pdbench/trace-columns@1";

type Column = Int32Array | Float64Array;

interface BlobHeader {
  readonly format: typeof FORMAT;
  /** The trace without its columns. */
  readonly values: Record<string, unknown>;
  readonly blocks: Record<string, unknown>;
  /** Columns in the order of their bytes; names of the block table's start with `blocks.`. */
  readonly columns: readonly (readonly [name: string, type: "i32" | "f64", length: number])[];
}

const BYTES = { i32: 4, f64: 8 } as const;

/** A trace as bytes: the length of the header, the header as JSON, the columns in little-endian order. */
export function encodeTrace(trace: RawTrace): Buffer {
  const { blocks, ...rest } = trace;
  const all = [
    ...Object.entries(rest),
    ...Object.entries(blocks).map(([name, value]): [string, unknown] => [`blocks.${name}`, value]),
  ];
  const columns = all.filter((entry): entry is [string, Column] => isColumn(entry[1]));
  const withoutColumns = (values: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => !isColumn(value)));
  const header: BlobHeader = {
    format: FORMAT,
    values: withoutColumns(rest),
    blocks: withoutColumns(blocks),
    columns: columns.map(([name, { length, BYTES_PER_ELEMENT }]) => [
      name,
      BYTES_PER_ELEMENT === 4 ? "i32" : "f64",
      length,
    ]),
  };
  const head = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  const bytes = columns.map(([, { buffer, byteOffset, byteLength }]) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return Buffer.concat([size, head, ...bytes]);
}

/**
 * The trace of `encodeTrace`, its columns in shared memory.
 *
 * @throws Error for bytes that are no such trace
 */
export function decodeTrace(bytes: Buffer): RawTrace {
  const headEnd = 4 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString("utf8", 4, headEnd)) as BlobHeader;
  if ((header.format as string) !== FORMAT)
    throw new Error(`trace of format ${header.format}, expected ${FORMAT}`);
  const trace: Record<string, unknown> = { ...header.values };
  const blocks: Record<string, unknown> = { ...header.blocks };
  let offset = headEnd;
  for (const [name, type, length] of header.columns) {
    const end = offset + length * BYTES[type];
    if (end > bytes.length) throw new Error("trace is cut short");
    const buffer = new SharedArrayBuffer(end - offset);
    new Uint8Array(buffer).set(bytes.subarray(offset, end));
    const column = type === "i32" ? new Int32Array(buffer) : new Float64Array(buffer);
    if (name.startsWith("blocks.")) blocks[name.slice("blocks.".length)] = column;
    else trace[name] = column;
    offset = end;
  }
  return { ...trace, blocks } as unknown as RawTrace;
}

function isColumn(value: unknown): value is Column {
  return value instanceof Int32Array || value instanceof Float64Array;
}
