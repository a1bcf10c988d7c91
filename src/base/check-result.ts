/** One thing that was looked at. */
export interface CheckResult {
  readonly check: string;
  readonly ok: boolean;
  /** What is so, and where it is wrong, what to do. */
  readonly text: string;
}
