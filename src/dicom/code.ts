/** A coded concept: Code Value, Coding Scheme Designator and Code Meaning (PS3.3 section 8). */
export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}
