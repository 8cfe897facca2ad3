import { InfraError } from "../../infra/errors.ts"
import { timeDesktop } from "../traces/desktop-times.ts"
import { findMachine } from "./kinds/machine.ts"
import type { OperationRun } from "./operation-run.ts"

/** Looked at least so often, in case news was lost. */
const LOOK_MS = 2_000
/** A machine that has not called by then may have been made without being started: whoever made it was cut off. */
const CALLS_BY_MS = 30_000

/**
 * Waits until the workspace's machine has reported that its whole desktop is ready.
 * @param since ms since 1970 from which on reports count: the start of the operation, or later where the machine was
 *   still at work then
 * @throws InfraError `machine-silent` or `machine-not-ready` when it takes longer than FOOZOL_READY_SECONDS
 */
export async function waitUntilReady(
  run: OperationRun,
  since = run.operation.startedAt ?? run.means.now(),
): Promise<void> {
  const { means, workspace, signal } = run
  const deadline = means.now() + means.config.readyMs
  let news = Promise.withResolvers<void>()
  const wake = () => news.resolve()
  const forget = await means.channel.waitFor(workspace.id, wake)
  signal.addEventListener("abort", wake, { once: true })
  run.step("boot")
  // One that is on already, such as after a run that was cut off, would say so only at its next report.
  await means.channel.order(workspace.id, { type: "report", data: {} })
  const waits = timeDesktop(run.times)
  let connected = false
  let nudged = false
  let explained = false
  const callsBy = means.now() + Math.min(CALLS_BY_MS, means.config.readyMs / 4)
  const resetBy = means.now() + means.config.readyMs / 2
  let isReset = false
  let isLate = false
  try {
    for (;;) {
      signal.throwIfAborted()
      news = Promise.withResolvers()
      const { connectedAt, reportedAt, report } = await means.reports.last(workspace.id)
      if (!connected && Math.max(connectedAt, reportedAt) >= since) {
        connected = true
        run.step("desktop")
        waits.connected()
      }
      const fresh = reportedAt >= since ? report : null
      if (fresh) waits.reported(fresh.checks)
      if (fresh?.ready) return
      if (fresh?.certificate?.state === "expired" && !explained) {
        explained = true
        run.say("Its certificate has expired meanwhile: the machine gets a new one before its desktop opens.")
      }
      if (!connected && !nudged && means.now() > callsBy) {
        nudged = true
        await wakeUp(run)
        continue
      }
      if (!connected && !isReset && means.now() > resetBy) {
        isReset = true
        await wakeUp(run, true)
        continue
      }
      if (means.now() > deadline) {
        if (isLate) throw tooLong(connected, fresh?.checks ?? [], means.config.readyMs)
        // A process that was held up has not heard yet what has come meanwhile.
        isLate = true
      }
      const timer = setTimeout(wake, LOOK_MS)
      await news.promise
      clearTimeout(timer)
    }
  } finally {
    waits.over()
    forget()
    signal.removeEventListener("abort", wake)
  }
}

/**
 * Does what may help a machine that has never spoken: one that is off is switched on. One that hangs while it boots gets
 * one more start before its owner is told that it failed, since nobody is at work on it.
 */
async function wakeUp(run: OperationRun, mayReset = false): Promise<void> {
  const { machines } = run.means
  const machine = await findMachine(run)
  if (machine?.state === "off") {
    run.say("The machine was made, but not started: it is switched on.")
    await machines.powerOn(machine.id, { signal: run.signal })
  }
  // One that goes on where it fell asleep has programs that would end.
  if (!mayReset || machine?.state !== "running" || run.workspace.memory) return
  run.say("Nothing has been heard of the machine though it is on: it is reset, once.")
  await machines.reset(machine.id, { signal: run.signal })
}

function tooLong(connected: boolean, checks: { name: string; ok: boolean; detail?: string | undefined }[], ms: number) {
  const time = ms < 120_000 ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / 60_000)} minutes`
  if (!connected) {
    return new InfraError(
      "machine-silent",
      "retry",
      `The machine was made, but did not report within ${time}; try again, or delete the workspace.`,
    )
  }
  const failing = checks.filter(check => !check.ok).map(check => check.name)
  return new InfraError(
    "machine-not-ready",
    "retry",
    `The machine runs, but its desktop was not ready within ${time}${failing.length > 0 ? ` (missing: ${failing.join(", ")})` : ""}; try again, or delete the workspace.`,
    JSON.stringify(checks),
  )
}
