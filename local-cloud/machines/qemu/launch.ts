import { spawn } from "node:child_process"
import { open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { NoRoomError } from "../contract.ts"
import { identify, type ProcessIdentity } from "./processes.ts"
import { machineFiles } from "./qemu-arguments.ts"

/**
 * Starts QEMU in the machine's directory, in a session of its own: it outlives this process, however that ends.
 * The only place where machines are started.
 */
export async function launch(program: string, args: string[], directory: string): Promise<ProcessIdentity> {
  const log = await open(join(directory, machineFiles.errors), "w", 0o600)
  try {
    const child = spawn(program, args, { cwd: directory, detached: true, stdio: ["ignore", log.fd, log.fd] })
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve)
      child.once("error", cause => reject(new Error(`${program} cannot be started; install QEMU.`, { cause })))
    })
    child.unref()
    const identity = child.pid === undefined ? null : identify(child.pid)
    if (identity === null) throw await launchError(directory)
    return identity
  } finally {
    await log.close()
  }
}

/** Says why a machine's QEMU ended right after its start, in QEMU's own last words. */
export async function launchError(directory: string): Promise<Error> {
  const words = (await readFile(join(directory, machineFiles.errors), "utf8").catch(() => "")).trim()
  const last = words.split("\n").slice(-3).join(" / ")
  if (/cannot allocate memory|cannot set up guest memory/i.test(last)) {
    return new NoRoomError(`This host has no memory for the machine: ${last}`)
  }
  return new Error(`QEMU did not start: ${last || "it gave no reason"}`)
}
