import type { Random } from "../values/random.js";

/** Draws one number. */
export type Sampler = () => number;

/** Exponential with the given mean. */
export function exponential(random: Random, mean: number): Sampler {
  return () => -mean * Math.log1p(-random.nextFloat());
}

/** Standard normal, by Marsaglia's polar method. */
export function standardNormal(random: Random): Sampler {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    let x: number, y: number, square: number;
    do {
      x = 2 * random.nextFloat() - 1;
      y = 2 * random.nextFloat() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const scale = Math.sqrt((-2 * Math.log(square)) / square);
    spare = y * scale;
    return x * scale;
  };
}

/**
 * Gamma with the given mean and coefficient of variation (1 = exponential), by Marsaglia and Tsang, "A simple
 * method for generating gamma variables" (2000), section 8 for shapes below 1.
 */
export function gamma(random: Random, mean: number, cv: number): Sampler {
  const shape = 1 / (cv * cv);
  const boosted = shape < 1 ? shape + 1 : shape;
  const d = boosted - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const scale = mean / shape;
  const normal = standardNormal(random);
  return () => {
    const boost = shape < 1 ? Math.pow(1 - random.nextFloat(), 1 / shape) : 1;
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      if (Math.log(1 - random.nextFloat()) < 0.5 * x * x + d - d * v + d * Math.log(v))
        return boost * scale * d * v;
    }
  };
}

/** Lognormal with the given mean and coefficient of variation; always the mean where that is 0. */
export function lognormal(random: Random, mean: number, cv: number): Sampler {
  const variance = Math.log1p(cv * cv);
  const mu = Math.log(mean) - variance / 2;
  const sigma = Math.sqrt(variance);
  const normal = standardNormal(random);
  return cv === 0 ? () => mean : () => Math.exp(mu + sigma * normal());
}
