/** Who says something of a study. */
export interface Author {
  /** Unique and lasting, such as `local:NAME`. */
  readonly id: string;
  /** For people to read: two users may have the same. */
  readonly name: string;
}
