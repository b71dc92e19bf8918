/**
 * What is kept of each physical block: two numbers side by side. A block is usually far from the last one in
 * memory, so a record costs one cache line however much of it is read.
 */
export const RECORD = 2;
/** References while requests hold the block; otherwise minus its place in the free queue. */
export const STATE = 0;
/** 1 + its entry in the prefix index, negative if other blocks have the same content; 0 = it has no key. */
export const ENTRY = 1;

export function blockRecords(numBlocks: number): Int32Array {
  return new Int32Array(numBlocks * RECORD);
}
