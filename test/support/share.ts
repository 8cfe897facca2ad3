/**
 * How much of something long is tried: all of it in `npm run test:full`, an honest share in `npm test`, whose length is
 * what keeps people from running it.
 */
export function share<T>(inFull: T, otherwise: T): T {
  return process.env.FOOZOL_TEST_FULL === undefined ? otherwise : inFull
}
