/** Text to token ids and back, as one engine uses it. */
export interface Tokenizer {
  /** For messages and `/tokenize`: `builtin`, or the path of the file. */
  readonly name: string;
  /** Ids are below this. */
  readonly vocabularySize: number;
  /** Ids of the special tokens that frame a chat message; null = written out as text. */
  readonly chatMarks: { readonly start: number; readonly end: number } | null;
  /**
   * @param addSpecialTokens whether tokens that the model expects around a prompt (BOS) are added
   */
  encode(text: string, addSpecialTokens: boolean): number[];
  decode(ids: ArrayLike<number>): string;
  /** What one token adds to a text. */
  tokenText(id: number): string;
}
