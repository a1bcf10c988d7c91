// Made from src/finding/wording.ts by npm run contracts.

export const RESEARCH_USE = {
  statement: 'Research use only - not for diagnosis. Unverified.',
  sentence: 'Research use only, not for diagnosis.',
  seriesDescription: 'RESEARCH USE, NOT FOR DIAGNOSIS',
  burnedIn: 'RESEARCH USE - NOT FOR DIAGNOSIS',
  brief: 'Research use only.',
  unverified: 'Research use, unverified',
  short: 'research use only',
} as const;
