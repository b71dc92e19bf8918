import { InputError } from "../errors.js";

/** Reads the value of `flag`, a whole number of at least `minimum`. @throws InputError naming both. */
export function wholeNumberFlag(flag: string, minimum: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(number >= minimum && Number.isSafeInteger(number))) {
      throw new InputError(`${flag}: got ${text}, expected a whole number of at least ${minimum}`);
    }
    return number;
  };
}

/** Reads the value of `flag`, a port, or 0 for any that is free. @throws InputError naming both. */
export function portFlag(flag: string): (text: string) => number {
  return (text) => {
    const port = /^\d+$/.test(text) ? Number(text) : NaN;
    if (port <= 65_535) return port;
    throw new InputError(`${flag}: got ${text}, expected a port from 1 to 65535, or 0 for any free one`);
  };
}

/** Reads the value of `flag`, a number of at least 0, or above 0. @throws InputError naming both. */
export function numberFlag(flag: string, range: "positive" | "not negative"): (text: string) => number {
  return (text) => {
    const number = text.trim() === "" ? NaN : Number(text);
    const inRange = range === "positive" ? number > 0 : number >= 0;
    if (!inRange || number === Infinity) {
      throw new InputError(
        `${flag}: got ${text}, expected a number ${range === "positive" ? "above 0" : "of at least 0"}`,
      );
    }
    return number;
  };
}

/** Reads the value of `flag`, a share above 0 and at most 1. @throws InputError naming both. */
export function shareFlag(flag: string): (text: string) => number {
  return (text) => {
    const number = text.trim() === "" ? NaN : Number(text);
    if (number > 0 && number <= 1) return number;
    throw new InputError(`${flag}: got ${text}, expected a share above 0 and at most 1`);
  };
}
