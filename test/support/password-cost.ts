/** In the place of src/web/access/password-cost.ts: a hash takes milliseconds instead of half a second. */
export const PASSWORD_COST = { N: 2 ** 10, r: 8, p: 1 };
