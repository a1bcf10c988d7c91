/** `pattern` finds the version in the file's text; only the first `count` are the release's. */
export interface Place {
  readonly file: string;
  readonly pattern: RegExp;
  readonly count: number;
}
export const CHANGELOG: string;
export const PLACES: readonly Place[];
export function numbersOf(version: string): number[];
export function isLater(version: string, than: string): boolean;
export function versionsIn(place: Place, text: string): string[];
export function withVersion(place: Place, text: string, version: string): string;
export function withDate(text: string, version: string, today: string): string;
