import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { foozolCloud } from "./command-line.ts"

/** What `npm start` brings up, over a data folder of the test's own. */
export interface StartedWorld {
  /** The one URL it prints. */
  url: string
  /** Everything it has printed. */
  printed(): string
  /** Ctrl-C, and the wait until it has ended. @returns the exit code */
  interrupt(): Promise<number | null>
  /** Ends it, and cuts the power of every machine that is left. */
  tearDown(): Promise<void>
}

/** Runs `npm start`'s command and waits for the URL at its end. @throws with what it printed when it ends before */
export async function startWorldProcess(dataDirectory: string): Promise<StartedWorld> {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, "tools", "bootstrap.mjs"), "cli/main.ts", "start"], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, FOOZOL_DATA: dataDirectory },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that the signal reaches it as Ctrl-C at a terminal does: every process of the group.
    detached: true,
  })
  let printed = ""
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (line: string) => {
      printed += `${line}\n`
      const ready = /^Ready: (\S+)$/.exec(line)?.[1]
      if (ready) resolve(ready)
    }
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", hear)
    child.once("exit", () => reject(new Error(`npm start ended before it was ready:\n${printed}`)))
  })
  return {
    url,
    printed: () => printed,
    interrupt: () => interrupt(child),
    async tearDown() {
      await interrupt(child)
      const env = { FOOZOL_DATA: dataDirectory }
      await foozolCloud(["local", "up"], env)
      await foozolCloud(["local", "down", "--power-off"], env)
    },
  }
}

async function interrupt(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  process.kill(-(child.pid as number), "SIGINT")
  const [code] = (await once(child, "exit")) as [number | null]
  return code
}
