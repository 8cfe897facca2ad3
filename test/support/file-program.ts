import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { waitUntil } from "./wait-until.ts"

export interface NodeProgram {
  /** The most it has held in memory so far, in bytes. */
  mostMemory(): Promise<number>
  close(): Promise<void>
}

/** As the units on a machine start them. */
export const FLAGS = {
  agent: ["--max-semi-space-size=1", "--max-old-space-size=64", "--optimize-for-size", "--expose-gc"],
  files: ["--max-semi-space-size=2", "--max-old-space-size=128", "--optimize-for-size"],
}
const ENTRY = join(PROJECT_ROOT, "image-builder/file-server/main.ts")

/**
 * The program that has a home's files, as it runs on a machine, on a socket of a test.
 * @param environment and `program`: more of the one, another file in the place of the other
 */
export const startFileProgram = (home: string, socket: string, environment: NodeJS.ProcessEnv = {}, program = ENTRY) =>
  startNode([...FLAGS.files, program], socket, { HOME: home, FOOZOL_FILES_SOCKET: socket, ...environment })

/** Node with some arguments; when this resolves, it takes connections at the socket. */
export async function startNode(
  args: string[],
  socket: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<NodeProgram> {
  const env = { ...process.env, MALLOC_ARENA_MAX: "1", ...environment }
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] })
  const gone = once(child, "exit")
  await waitUntil("the program listens or ends", async () => child.exitCode !== null || answers(socket))
  if (child.exitCode !== null) throw new Error(`${args.at(-1)} ended`)
  return {
    mostMemory: async () =>
      Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024,
    close: async () => {
      child.kill("SIGTERM")
      await gone
    },
  }
}

const answers = (path: string) =>
  new Promise<boolean>(resolve => {
    const socket = connect(path)
    socket.once("connect", () => socket.end(() => resolve(true))).once("error", () => resolve(false))
  })
