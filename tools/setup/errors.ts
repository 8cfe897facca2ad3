/** Something set-up cannot do by itself; the message is one sentence that says what is missing and the ways to get it. */
export class SetupError extends Error {
  override name = "SetupError"
}
