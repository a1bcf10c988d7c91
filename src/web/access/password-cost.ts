/**
 * OWASP's parameters for scrypt: 2^17 x 8 x 1, 128 MiB for a moment. Stored with each hash, so that stronger ones can
 * follow. In a file of their own, as tests that sign in often take others.
 */
export const PASSWORD_COST = { N: 2 ** 17, r: 8, p: 1 };
