/** Skips every test behind a `before` hook; the run's end names the reason, in words that follow the tests' names. */
export function skipSuite(hook: Mocha.Context, reason: string): never {
  hook.test?.parent?.eachTest(test => Object.assign(test, { skipReason: reason }))
  return hook.skip()
}
