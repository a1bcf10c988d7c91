/** A parsed message, deeply read-only. */
export type ReadOnly<T> = T extends string | number | boolean | null | undefined
  ? T
  : { readonly [key in keyof T]: ReadOnly<T[key]> };
