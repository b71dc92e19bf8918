import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { ItemRandom, randomStream } from "../../src/values/random.js";

const draws = (random: ItemRandom, item: number, count: number) => {
  random.begin(item);
  return Array.from({ length: count }, () => random.nextInt(1000));
};

describe("ItemRandom", () => {
  it("draws the same for an item whatever was drawn for others before", () => {
    const alone = draws(new ItemRandom(7, "ties"), 41, 5);
    const random = new ItemRandom(7, "ties");
    for (let item = 0; item < 41; item++) draws(random, item, item % 3);
    expect(draws(random, 41, 5)).toEqual(alone);
    expect(draws(random, 41, 5)).toEqual(alone);
  });

  it("draws otherwise for another item, seed or name", () => {
    const first = draws(new ItemRandom(7, "ties"), 41, 5);
    expect(draws(new ItemRandom(7, "ties"), 42, 5)).not.toEqual(first);
    expect(draws(new ItemRandom(8, "ties"), 41, 5)).not.toEqual(first);
    expect(draws(new ItemRandom(7, "others"), 41, 5)).not.toEqual(first);
  });

  it("draws what pure-rand draws under the item's seed", () => {
    const random = new ItemRandom(7, "ties");
    const reference = xoroshiro128plus(random.seedOf(41));
    random.begin(41);
    for (const bound of [1, 2, 3, 4, 7, 1000, 2 ** 31, 3 * 2 ** 30, 2 ** 32]) {
      for (let i = 0; i < 50; i++) expect(random.nextInt(bound)).toBe(uniformInt(reference, 0, bound - 1));
      expect(random.nextFloat()).toBe(uniformFloat64(reference));
    }
  });

  it("is uniform over items, and over pairs of one after the other", () => {
    const random = new ItemRandom(1, "ties");
    const pairs = new Array<number>(16).fill(0);
    let last = 0;
    const items = 160_000;
    for (let item = 0; item < items; item++) {
      random.begin(item);
      const drawn = random.nextInt(4);
      pairs[last * 4 + drawn]!++;
      last = drawn;
    }
    const expected = items / 16;
    const chiSquare = pairs.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 15 degrees of freedom: above 37.7 once in a thousand seeds.
    expect(chiSquare).toBeLessThan(37.7);
  });
});

it("streams of different names are independent of each other's use", () => {
  const one = randomStream(3, "one");
  const other = randomStream(3, "other");
  one.nextFloat();
  expect(other.nextFloat()).toBe(randomStream(3, "other").nextFloat());
});
