import type { Random } from "../../values/random.js";
import { Text, type TraceWriter } from "./generated-trace.js";

/** Texts that many requests begin with. Each gets its length and ids when it is first used. */
export class SharedTexts {
  private readonly texts: (Text | undefined)[];
  private readonly length: () => number;

  constructor(count: number, length: () => number) {
    this.texts = new Array<Text | undefined>(count);
    this.length = length;
  }

  pick(index: number, trace: TraceWriter): Text {
    return (this.texts[index] ??= new Text().grow(this.length(), trace));
  }
}

/** Picks 0 to count - 1, number i with a weight of 1 / (i + 1)^skew (Zipf; 0 = all alike). */
export function zipf(random: Random, count: number, skew: number): () => number {
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) cumulative[i] = total += Math.pow(i + 1, -skew);
  return () => {
    const point = random.nextFloat() * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
