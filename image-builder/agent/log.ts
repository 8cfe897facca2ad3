/** One line a message; the journal adds the time. Nothing that is a secret is ever handed over. */
export interface Log {
  info(message: string): void
  warn(message: string): void
}

/** Levels as the journal reads them from the beginning of a line. */
export const journal: Log = {
  info: message => process.stdout.write(`<6>${message}\n`),
  warn: message => process.stdout.write(`<4>${message}\n`),
}

/** The message of whatever was thrown. */
export const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
