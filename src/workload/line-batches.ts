import { StringDecoder } from "node:string_decoder";

/** Longer "lines" are not a trace; the limit keeps a wrong file from filling the memory. */
const LONGEST_LINE = 128 * 1024 * 1024;

/** Cuts a text that comes in chunks of bytes into lines, without line feeds. A byte-order mark is left out. */
export class LineSplitter {
  private readonly decoder = new StringDecoder("utf8");
  private rest: string | null = null;

  /**
   * The lines that end in the chunk.
   *
   * @throws RangeError for a line of more than 128 Mi characters.
   */
  push(chunk: Buffer): readonly string[] {
    const text: string =
      this.rest === null
        ? this.decoder.write(chunk).replace(/^\uFEFF/, "")
        : this.rest + this.decoder.write(chunk);
    const lines = text.split("\n");
    this.rest = lines.pop()!;
    if (this.rest.length > LONGEST_LINE) throw new RangeError("a line has more than 128 Mi characters");
    return lines;
  }

  /** What is left after the last line feed, as a line, unless it is empty. */
  end(): readonly string[] {
    const last = (this.rest ?? "") + this.decoder.end();
    return last === "" ? [] : [last];
  }
}

/**
 * The lines of a text, a batch per chunk of bytes; see `LineSplitter`.
 *
 * @throws RangeError for a line of more than 128 Mi characters.
 */
export async function* lineBatches(bytes: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  const splitter = new LineSplitter();
  for await (const chunk of bytes) yield splitter.push(chunk);
  yield splitter.end();
}
