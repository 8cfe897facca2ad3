import { type Check, expect } from "../check.ts"
import { shake } from "../door.ts"

/** The way in and the machine's own word that all of it is there: nothing else can be told before. */
export const answers: Check = {
  name: "boot: HTTPS answers",
  level: "quick",
  needs: [],
  async run(run) {
    await run.until("an answer at port 443", async () => {
      const socket = await shake(run.door, {}, 3_000)
      socket.destroy()
      return true
    })
    return `${((Date.now() - run.startedAt) / 1000).toFixed(1)} s after power on`
  },
}

export const reportsReady: Check = {
  name: "boot: the agent reports that everything is ready",
  level: "quick",
  needs: [answers.name],
  async run(run) {
    const ready = () => run.service.reports.find(report => report.ready)
    const report = await run.until("a report of readiness", ready).catch(error => {
      const last = run.service.reports.at(-1)
      const failing = last?.checks.filter(check => !check.ok).map(check => `${check.name} (${check.detail})`)
      expect(last !== undefined, "No report of the agent reached the service")
      expect(false, `The last report lacks ${failing?.join(", ") || error.message}`)
    })
    expect(report.checks.length >= 5, `The report tells of ${report.checks.length} checks only`)
    expect(report.sessionId === run.workspace, `The report is of the session "${report.sessionId}"`)
    return `${report.checks.map(check => check.name).join(", ")} after ${((Date.now() - run.startedAt) / 1000).toFixed(1)} s`
  },
}

export const boot = [answers, reportsReady]
