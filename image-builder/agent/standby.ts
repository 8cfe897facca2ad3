import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { get } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { checkVnc } from "./checks.ts"
import { type Log, reasonOf } from "./log.ts"
import type { Run } from "./run.ts"

/** What the boot leaves on a machine that others will be copies of. */
const MARK = "/run/foozol/standby"
const ADDRESS = "http://169.254.169.254/foozol/v1/standby"
/** Read once, so that they lie in the memory that every copy begins with. */
const WARM =
  "cat /usr/sbin/nginx /usr/bin/openssl /usr/bin/perl /usr/bin/tmux /usr/lib/chromium/* /usr/lib/foozol/acme.cjs > /dev/null 2>&1; true"
const ANSWER_MS = 1_000
const LOOK_MS = 200

/** What the host says: wait and ask again, or who this machine is. */
type Answer = { againInMs: number } | { machine: string; now: number; seed: string }

export const isStandby = (): boolean => existsSync(MARK)

/**
 * On a machine that is nobody's: waits until its display and its terminal stand, then asks the host until it is
 * somebody's, and has the machine made its own. In between the host has kept the machine's memory, and what goes on is a
 * copy of it. Nothing here may draw on randomness before the machine is its own.
 * @throws when that cannot be done: then this agent ends, and the next one tries again
 */
export async function standBy({ run, runLong, log }: { run: Run; runLong: Run; log: Log }): Promise<void> {
  await runLong("sh", ["-c", WARM])
  while (!(await standsReady(run))) await sleep(LOOK_MS)
  log.info("stands by")
  for (;;) {
    // No answer: the question was under way when the memory was kept.
    const answer = await ask().catch(() => null)
    if (answer === null) continue
    if ("againInMs" in answer) await sleep(answer.againInMs)
    else return becomeOwn(answer)
  }
}

async function standsReady(run: Run): Promise<boolean> {
  const vnc = await checkVnc({ vnc: { host: "127.0.0.1", port: 5900 } })
  if (!vnc.ok) return false
  // A window manager, and in the terminal a shell that has printed its prompt.
  const pane = await run("tmux", ["-S", "/tmp/tmux-1000/default", "list-clients", "-F", "#{cursor_x}"])
  return pane.code === 0 && Number(pane.stdout) > 0
}

function ask(): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(ADDRESS, { agent: false, timeout: ANSWER_MS }, response => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", part => (text += part))
      response.on("end", () => {
        try {
          resolve(JSON.parse(text))
        } catch (error) {
          reject(error)
        }
      })
    })
    request.on("timeout", () => request.destroy(new Error("no answer")))
    request.on("error", reject)
  })
}

function becomeOwn({ machine, now, seed }: { machine: string; now: number; seed: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = [machine, String(Math.round(now / 1_000))]
    // This agent's own group is the one that may read secrets; what is made now is root's.
    const wake = execFile("/usr/lib/foozol/wake", args, { gid: 0 }, (error, stdout, stderr) => {
      if (error === null) resolve()
      else reject(new Error(`this machine could not be made its own: ${reasonOf(error)} ${stdout} ${stderr}`))
    })
    wake.stdin?.end(`${seed}\n`)
  })
}
