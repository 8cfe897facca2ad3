import { type ParseArgsConfig, parseArgs } from "node:util"

/** Reads the command line. One that cannot be read ends the program (2) with what is wrong with it and how it is meant. */
export function readArguments<T extends ParseArgsConfig>(config: T, usage: string): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS")) throw error
    // The first sentence names it; what follows is for programmers.
    console.error(`${(error as Error).message.split(". ")[0]}.\n${usage}`)
    process.exit(2)
  }
}
