import { randomBytes } from "node:crypto"
import { type Check, expect } from "../check.ts"
import { shake } from "../door.ts"
import type { Run } from "../run.ts"
import { desktopOf } from "./screen.ts"
import { typed, typeInTerminal } from "./typing.ts"
import { complete } from "./window.ts"

const SESSIONS = "tmux -S /tmp/tmux-1000/default list-sessions -F '#{session_name}'"
const marker = randomBytes(8).toString("hex")

async function fingerprint(run: Run): Promise<string> {
  const socket = await shake(run.door, {}, run.patience)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

export const reboots: Check = {
  name: "reboot: the machine comes back by itself, with its key",
  level: "full",
  needs: [typed.name],
  async run(run) {
    const keep = `echo ${marker} > ~/kept && mkdir -p ~/project && echo ${marker} > ~/project/file && cat /etc/machine-id`
    const { output: machineId } = await run.inside.run(keep, { as: "user", limit: run.patience })
    const [key, boot] = [await fingerprint(run), run.service.reports.at(-1)?.bootId]
    const began = Date.now()
    run.inside.send("systemctl --no-block reboot")
    await run.until(
      "a report of readiness after the reboot",
      () => run.service.reports.find(one => one.ready && one.bootId !== boot),
      2 * run.patience,
    )
    const seconds = ((Date.now() - began) / 1000).toFixed(0)
    expect((await fingerprint(run)) === key, "The machine has another certificate than before")
    await typeInTerminal(run)
    const { output } = await run.inside.run("cat /etc/machine-id", { limit: run.patience })
    expect(output === machineId, "The machine has another machine id than before")
    return `ready again after ${seconds} s`
  },
}

export const reboot: Check[] = [
  reboots,
  {
    name: "reboot: files are kept, and terminals are there again",
    level: "full",
    needs: [reboots.name],
    async run(run) {
      const { output } = await run.inside.run(`cat ~/kept ~/project/file; ${SESSIONS}`, {
        as: "user",
        limit: run.patience,
      })
      const [one, other, ...sessions] = output.trim().split("\n")
      expect(one === marker && other === marker, `The files hold "${one}" and "${other}"`)
      expect(sessions.includes("main"), `The sessions of tmux are ${sessions.join(", ") || "none"}`)
      return `session ${sessions.join(", ")}`
    },
  },
  {
    name: "reboot: the desktop is complete, and typing has its effect",
    level: "full",
    needs: [reboots.name, complete.name],
    async run(run) {
      await desktopOf(run)
      return "terminal and window are there"
    },
  },
]
