/** What a kind of card can do at most. */
export interface Card {
  /** Memory as the driver reports it to PyTorch (`total_memory`), bytes. */
  readonly memoryBytes: number;
  /** Dense 16-bit tensor throughput, TFLOP/s. */
  readonly bf16Tflops: number;
  /** Dense 8-bit tensor throughput, TFLOP/s. */
  readonly fp8Tflops: number;
  /** Memory bandwidth, GB/s. */
  readonly memoryGigabytesPerSecond: number;
}

/** Bytes in a number of GiB. */
function gib(count: number): number {
  return Math.round(count * 2 ** 30);
}

/** From the vendor's data sheets; memory as seen by `torch.cuda.get_device_properties`. */
const CARDS: Readonly<Record<string, Card>> = {
  "A100-80GB": { memoryBytes: gib(79.25), bf16Tflops: 312, fp8Tflops: 624, memoryGigabytesPerSecond: 2039 },
  "A100-40GB": { memoryBytes: gib(39.39), bf16Tflops: 312, fp8Tflops: 624, memoryGigabytesPerSecond: 1555 },
  A6000: { memoryBytes: gib(47.43), bf16Tflops: 155, fp8Tflops: 310, memoryGigabytesPerSecond: 768 },
  A10G: { memoryBytes: gib(22.06), bf16Tflops: 70, fp8Tflops: 140, memoryGigabytesPerSecond: 600 },
  H100: { memoryBytes: gib(79.11), bf16Tflops: 989, fp8Tflops: 1979, memoryGigabytesPerSecond: 3350 },
  H200: { memoryBytes: gib(139.81), bf16Tflops: 989, fp8Tflops: 1979, memoryGigabytesPerSecond: 4800 },
  B200: { memoryBytes: gib(178.36), bf16Tflops: 2250, fp8Tflops: 4500, memoryGigabytesPerSecond: 8000 },
  L4: { memoryBytes: gib(22.03), bf16Tflops: 121, fp8Tflops: 242, memoryGigabytesPerSecond: 300 },
  L40S: { memoryBytes: gib(44.39), bf16Tflops: 362, fp8Tflops: 733, memoryGigabytesPerSecond: 864 },
  RTX4090: { memoryBytes: 25250627584, bf16Tflops: 165, fp8Tflops: 330, memoryGigabytesPerSecond: 1008 },
  RTX5090: { memoryBytes: gib(31.36), bf16Tflops: 210, fp8Tflops: 419, memoryGigabytesPerSecond: 1792 },
  RTXPRO6000: { memoryBytes: gib(94.97), bf16Tflops: 504, fp8Tflops: 1008, memoryGigabytesPerSecond: 1792 },
};

/** The card that `name` means, whatever its spelling (`NVIDIA GeForce RTX 4090`, `rtx4090`), or null. */
export function knownCard(name: string): { readonly name: string; readonly card: Card } | null {
  const wanted = plainName(name);
  let found: string | null = null;
  for (const candidate of Object.keys(CARDS)) {
    const isLonger = found === null || candidate.length > found.length;
    if (isLonger && wanted.includes(plainName(candidate))) found = candidate;
  }
  return found === null ? null : { name: found, card: CARDS[found]! };
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
