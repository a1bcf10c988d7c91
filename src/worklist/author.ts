/** A user who changes something about a study. */
export interface Author {
  /** Unique and permanent, such as `local:NAME`. */
  readonly id: string;
  /** Name for display; two users may have the same. */
  readonly name: string;
}
