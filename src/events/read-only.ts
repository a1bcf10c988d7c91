/** A message as it was read: nothing in it is changed. */
export type ReadOnly<T> = T extends string | number | boolean | null | undefined
  ? T
  : { readonly [key in keyof T]: ReadOnly<T[key]> };
