/** How soon a study is worked on, and what its result suggests to the reader: most urgent first. */
export const PRIORITIES = ['urgent', 'routine'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The most urgent of some; null where there is none. */
export function mostUrgent(priorities: readonly (Priority | null)[]): Priority | null {
  return PRIORITIES.find((priority) => priorities.includes(priority)) ?? null;
}
