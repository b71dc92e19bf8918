/** Decision branches by number: `records.branch` holds the number, in order of first appearance. */
export class BranchNames {
  readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(branch: string): number {
    let number = this.numbers.get(branch);
    if (number === undefined) {
      number = this.names.length;
      this.numbers.set(branch, number);
      this.names.push(branch);
    }
    return number;
  }
}
