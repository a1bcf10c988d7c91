export interface NamedImage {
  readonly file: string;
  readonly line: string;
  readonly before: string;
  readonly image: string;
  readonly digest: string | null;
}
export function imagesOf(file: string, text: string): NamedImage[];
export function images(): NamedImage[];
/** Into all files of docker/. */
export function writeDigests(digestOf: ReadonlyMap<string, string>): void;
export function withDigests(text: string, digestOf: ReadonlyMap<string, string>): string;
