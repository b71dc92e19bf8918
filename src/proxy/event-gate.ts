const LF = 0x0a;
const CR = 0x0d;

/** A longer event is let through in parts rather than kept. */
const HELD_BYTES_MAX = 1 << 20;

/**
 * Lets whole server-sent events through and keeps the beginning of the next one, which a client could not
 * use yet anyway. So a stream that breaks can still end in a well-formed error event.
 */
export class EventGate {
  private held: Buffer[] = [];
  private heldBytes = 0;

  /** True when what has gone through ends in the middle of an event. */
  isMidEvent = false;

  /** What may go on: the chunk itself in the common case of whole events, null when there is nothing yet. */
  push(chunk: Buffer): Buffer | null {
    const { length } = chunk;
    if (this.heldBytes === 0 && chunk[length - 1] === LF && chunk[length - 2] === LF) {
      this.isMidEvent = false;
      return chunk;
    }
    if (this.heldBytes > 0 && this.heldBytes <= HELD_BYTES_MAX && !chunk.includes(LF)) {
      this.keep(chunk);
      return null;
    }
    const joint = this.heldBytes === 0 ? chunk : Buffer.concat([...this.held, chunk]);
    const end = endOfLastEvent(joint);
    this.held = [];
    this.heldBytes = 0;
    if (end > 0) this.isMidEvent = false;
    if (end === joint.length) return joint;
    if (joint.length - end > HELD_BYTES_MAX) {
      this.isMidEvent = true;
      return joint;
    }
    this.keep(joint.subarray(end));
    return end === 0 ? null : joint.subarray(0, end);
  }

  /** What was kept at the end of the stream. */
  flush(): Buffer | null {
    return this.heldBytes === 0 ? null : Buffer.concat(this.held);
  }

  private keep(bytes: Buffer): void {
    this.held.push(bytes);
    this.heldBytes += bytes.length;
  }
}

/** After the blank line that ends the last event in `bytes`; 0 when none ends here. */
export function endOfLastEvent(bytes: Buffer): number {
  let at = bytes.lastIndexOf(LF);
  while (at > 0) {
    const before = bytes[at - 1];
    if (before === LF || (before === CR && bytes[at - 2] === LF)) return at + 1;
    at = bytes.lastIndexOf(LF, at - 1);
  }
  return 0;
}
