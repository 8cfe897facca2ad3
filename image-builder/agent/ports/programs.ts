import { readdir, readFile, readlink, stat } from "node:fs/promises"
import { basename } from "node:path"

/** Programs that run others: what they run says more. */
const RUNNERS = /^(node|nodejs|bun|deno|python[\d.]*|ruby|perl|php[\d.]*|java)$/
/** Browsers and what is built of them listen for debuggers only, who may do whatever their user may. */
const DEBUGGED = /chrom|electron|headless_shell/i
const LONGEST = 60

/** Who has a socket open: a name for people, or null for a program whose server nobody is shown. */
export interface Owner {
  name: string
  isShown: boolean
}

/** A name out of /proc/PID/comm and /proc/PID/cmdline. Of arguments, none but the script's: there may be secrets in others. */
export function ownerOf(comm: string, commandLine: string): Owner {
  const [program = "", ...args] = commandLine.split("\0")
  const runner = basename(program)
  const script = RUNNERS.test(runner) ? args.find(one => one !== "" && !one.startsWith("-")) : undefined
  const name = script === undefined ? comm.trim() : `${runner} ${basename(script)}`
  const isShown = !DEBUGGED.test(comm) && !DEBUGGED.test(runner) && !args.some(isForDebuggers)
  return {
    name:
      name
        .replace(/\p{Cc}+/gu, " ")
        .trim()
        .slice(0, LONGEST) || "a program",
    isShown,
  }
}

const isForDebuggers = (argument: string) => argument.startsWith("--remote-debugging-")

/** Who has each of these sockets, by their numbers: a look at what the user's processes have open. */
export async function ownersOf(inodes: ReadonlySet<string>, user: number, proc = "/proc"): Promise<Map<string, Owner>> {
  const found = new Map<string, Owner>()
  const pids = (await readdir(proc)).filter(name => /^\d+$/.test(name))
  for (const pid of pids) {
    if (found.size === inodes.size) break
    const folder = `${proc}/${pid}`
    if ((await stat(folder).catch(() => null))?.uid !== user) continue
    for (const fd of await readdir(`${folder}/fd`).catch(() => [])) {
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`${folder}/fd/${fd}`).catch(() => ""))?.[1]
      if (inode === undefined || !inodes.has(inode) || found.has(inode)) continue
      const [comm, line] = await Promise.all(
        ["comm", "cmdline"].map(name => readFile(`${folder}/${name}`, "utf8").catch(() => "")),
      )
      found.set(inode, ownerOf(comm ?? "", line ?? ""))
    }
  }
  return found
}
