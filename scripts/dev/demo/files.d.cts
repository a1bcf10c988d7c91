export interface FoundFile {
  readonly file: string;
  /** Its path below what was given. */
  readonly name: string;
}

/**
 * All files of a folder and of its folders, or the one file.
 * @returns those that may be DICOM, and the others with what is the matter with them
 * @throws Error where there is nothing of this name.
 */
export function findFiles(given: string): {
  readonly files: readonly FoundFile[];
  readonly others: readonly (FoundFile & { readonly problem: string })[];
};

/** By the first 132 bytes of a file. */
export function looksLikeDicom(bytes: Buffer): boolean;
