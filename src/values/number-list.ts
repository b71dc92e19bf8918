/**
 * Numbers in order, for lists that fill and empty all the time: what is emptied keeps its room, which an array gives
 * back with `length = 0`.
 */
export class NumberList implements Iterable<number> {
  length = 0;
  private numbers = new Float64Array(16);

  /** @param place Below `length`. */
  at(place: number): number {
    return this.numbers[place]!;
  }

  push(number: number): void {
    if (this.length === this.numbers.length) this.grow();
    this.numbers[this.length++] = number;
  }

  /** Puts a number at `place`, and moves those from there on by one. */
  insert(place: number, number: number): void {
    this.push(number);
    for (let at = this.length - 1; at > place; at--) this.numbers[at] = this.numbers[at - 1]!;
    this.numbers[place] = number;
  }

  /** Takes out the number at `place`. */
  remove(place: number): void {
    this.numbers.copyWithin(place, place + 1, this.length--);
  }

  clear(): void {
    this.length = 0;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let place = 0; place < this.length; place++) yield this.numbers[place]!;
  }

  private grow(): void {
    const larger = new Float64Array(2 * this.numbers.length);
    larger.set(this.numbers);
    this.numbers = larger;
  }
}
