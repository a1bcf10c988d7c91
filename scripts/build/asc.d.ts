/** Of AssemblyScript's compiler what kernel.mjs uses: its own types declare a global `require` of their own. */
export function main(
  args: readonly string[],
  host: {
    readFile(name: string): string | null;
    writeFile(name: string, contents: Uint8Array | string): void;
    listFiles(): readonly string[];
  },
): Promise<{ error: Error | null; stderr: { toString(): string } }>;
