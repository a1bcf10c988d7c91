/** Result of one check. */
export interface CheckResult {
  readonly check: string;
  readonly ok: boolean;
  /** One sentence: what was found, and where it is wrong, what to do. */
  readonly text: string;
}
