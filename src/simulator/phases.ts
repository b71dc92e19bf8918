/** Kinds of agenda entries. Entries of equal time keep the order they went in. */
export const SUBMIT_PREFILL = 0;
export const HAND_OVER = 1;
export const SUBMIT_DECODE = 2;
export const FIRST_TOKEN = 3;
export const END = 4;
export const CANCEL = 5;
export const RELEASE = 6;

/** Where a request is. */
export const TO_PREFILL = 1;
export const IN_PREFILL = 2;
export const TO_DECODE = 3;
export const IN_DECODE = 4;
export const LEAVING = 5;
export const ENDED = 6;
