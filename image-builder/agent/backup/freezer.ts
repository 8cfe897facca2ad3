import { spawn } from "node:child_process"

/** A filesystem that takes no writes until somebody lets go of it. */
export interface Frozen {
  /** Lets writes go on; harmless when they do already. */
  thaw(): void
}

/** The shell may take so long to flush what has been written, ms. */
const PATIENCE_MS = 30_000

/**
 * $1: seconds; $2: folder. All that is needed once nothing can be written is started before: the shell that lets go, when
 * its input says a word or ends (so also when the agent dies) or the time is over, and a second one, should the first be
 * killed. Programs that write wait meanwhile; everything that reads or computes goes on.
 */
const SCRIPT = `
sync
( sleep $(($1 + 40)); fsfreeze --unfreeze "$2" ) > /dev/null 2>&1 < /dev/null &
guard=$!
if fsfreeze --freeze "$2"; then
  echo frozen
  read -r -t "$1" word
  fsfreeze --unfreeze "$2"
fi
kill $guard
`

/**
 * Flushes a filesystem and holds writes back.
 * @param seconds after which writing goes on in any case
 * @returns null where it cannot be done; it is flushed then
 */
export function freeze(
  seconds: number,
  { folder = "/", shell = ["/usr/bin/busybox", "sh"] }: { folder?: string; shell?: string[] } = {},
): Promise<Frozen | null> {
  const [program = "", ...first] = shell
  const child = spawn(program, [...first, "-c", SCRIPT, "sh", String(Math.ceil(seconds)), folder], {
    stdio: ["pipe", "pipe", "ignore"],
  })
  const thaw = () => void child.stdin.end("thaw\n")
  child.stdin.on("error", () => {})
  return new Promise(resolve => {
    const end = (frozen: Frozen | null) => {
      clearTimeout(late)
      resolve(frozen)
    }
    // It goes on to flush; when it is done it finds the word and lets go at once.
    const late = setTimeout(() => {
      thaw()
      end(null)
    }, PATIENCE_MS)
    child.stdout.once("data", () => end({ thaw }))
    child.once("error", () => end(null))
    child.once("close", () => end(null))
  })
}
