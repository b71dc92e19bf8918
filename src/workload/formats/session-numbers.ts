/** Numbers sessions densely, in order of first appearance of their names. */
export class SessionNumbers {
  private readonly numbers = new Map<string | number, number>();

  numberOf(name: string | number): number {
    let number = this.numbers.get(name);
    if (number === undefined) this.numbers.set(name, (number = this.numbers.size));
    return number;
  }
}
