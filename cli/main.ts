/** `foozol-cloud`: the command line for operators and for people who want the local cloud. */
import { enableCompileCache } from "node:module"
import { join } from "node:path"
import { cacheDirectory } from "../tools/setup/paths.ts"

// Compiling what the commands are made of is half of the time that a short one takes.
enableCompileCache(join(cacheDirectory(), "compile-cache"))
await import("./program.ts")
