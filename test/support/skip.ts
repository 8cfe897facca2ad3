// The reason follows the name of what is skipped: names are all that reaches a reporter from another process.

/** Skips every test behind a `before` hook. */
export function skipSuite(hook: Mocha.Context, reason: string): never {
  hook.test?.parent?.eachTest(test => name(test, reason))
  return hook.skip()
}

/** Skips the test that calls it. */
export function skipTest(context: Mocha.Context, reason: string): never {
  if (context.test) name(context.test, reason)
  return context.skip()
}

function name(test: Mocha.Runnable, reason: string): void {
  test.title = `${test.title}: ${reason}`
}
