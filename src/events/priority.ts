/** Priority of a study in the queue, and priority that its result suggests to the reader; the most urgent first. */
export const PRIORITIES = ['urgent', 'routine'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The most urgent of several priorities; null where there is none. */
export function mostUrgent(priorities: readonly (Priority | null)[]): Priority | null {
  return PRIORITIES.find((priority) => priorities.includes(priority)) ?? null;
}
