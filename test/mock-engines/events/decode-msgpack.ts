/** Reads the msgpack types that KV events are made of; whole numbers beyond 2^32 come as bigints. */
export function decodeMsgpack(bytes: Buffer): unknown {
  let at = 0;
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  const list = (length: number): unknown[] => Array.from({ length }, () => value());
  const map = (length: number): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length }, () => [value() as string, value()]));
  const value = (): unknown => {
    const tag = take(1)[0]!;
    if (tag < 0x80) return tag;
    if (tag < 0x90) return map(tag & 15);
    if (tag < 0xa0) return list(tag & 15);
    if (tag < 0xc0) return take(tag & 31).toString();
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xc0:
        return null;
      case 0xcb:
        return take(8).readDoubleBE();
      case 0xcc:
        return take(1)[0];
      case 0xcd:
        return take(2).readUInt16BE();
      case 0xce:
        return take(4).readUInt32BE();
      case 0xcf:
        return take(8).readBigUInt64BE();
      case 0xd9:
        return take(take(1)[0]!).toString();
      case 0xdc:
        return list(take(2).readUInt16BE());
      case 0xdd:
        return list(take(4).readUInt32BE());
      default:
        throw new Error(`tag ${tag.toString(16)} is not used by KV events`);
    }
  };
  return value();
}
