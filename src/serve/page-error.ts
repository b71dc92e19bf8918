/** What a visitor is told instead of a page: what is wrong, and what to do next. */
export class PageError extends Error {
  readonly status: number;
  readonly nextStep: string;

  constructor(status: number, message: string, nextStep: string) {
    super(message);
    this.name = "PageError";
    this.status = status;
    this.nextStep = nextStep;
  }
}
