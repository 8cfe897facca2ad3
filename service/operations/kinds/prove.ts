import { type SnapshotFacts, snapshotFacts, snapshotLabels } from "../../../infra/machines/snapshots.ts"
import { LABELS, MANAGER } from "../../../infra/workspace-spec.ts"
import { type ProofReport, whatIsWrong } from "../../backups/proof-report.ts"
import { ServiceError } from "../../errors.ts"
import type { OperationRun, Outcome } from "../operation-run.ts"
import { makeProver, removeProvers } from "./prover.ts"

/** Machines made before a silent one counts against the backup: the first may have had bad luck at its provider. */
const TRIES = 2
/** Looked at least so often, in case news was lost. */
const LOOK_MS = 2_000

/**
 * Tries a backup out: makes a machine from it that nobody can reach and that is nobody's workspace, has it check itself,
 * compares what it reports, removes it, and writes the result to the backup's labels. The workspace goes on beside.
 * Where the provider cannot give a machine, the trial failed and says nothing about the backup.
 */
export async function prove(run: OperationRun): Promise<Outcome> {
  const { operation, workspace, signal } = run
  run.step("check")
  const backup = await theBackup(run)
  let wrong: string | null
  try {
    const report = await tryOut(run, backup)
    run.step("compare")
    const minutes = Math.round(run.means.config.proofMs / 60_000)
    wrong = report
      ? whatIsWrong(report, backup.manifest)
      : `no machine made from it started and reported within ${minutes} minutes.`
  } finally {
    // When another run goes on with this, its machine is that one's.
    if (!signal.aborted) await removeProvers(run)
  }
  const provenAt = run.means.now()
  const labels = snapshotLabels({ ...backup, proof: wrong === null ? "passed" : "failed", provenAt })
  await run.means.machines.labelSnapshot(backup.id, labels, { signal })
  await run.means.backups.refresh(workspace).catch(error => run.log.warn({ err: error }, "not shown yet"))
  if (wrong === null) return {}
  const facts = { workspace: workspace.id, name: workspace.name, backup: backup.description, message: sentence(wrong) }
  await run.means.notify(workspace.owner, "restore-unproven", facts, { id: `${operation.id}-restore-unproven` })
  throw new ServiceError("restore-unproven", 409, `The backup could not be restored on trial: ${wrong}`, {
    next: "investigate",
  })
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

async function theBackup({ means, workspace, operation, signal }: OperationRun): Promise<SnapshotFacts> {
  const labels = { [LABELS.managedBy]: MANAGER, [LABELS.workspace]: workspace.id }
  const found = (await means.machines.listSnapshots(labels, { signal })).flatMap(one => snapshotFacts(one) ?? [])
  const backup = found.find(one => one.id === operation.wish?.snapshot)
  if (backup?.available) return backup
  throw new ServiceError("no-backup", 409, "This backup is not there any more, or not usable.")
}

/** @returns null when every machine stayed silent */
async function tryOut(run: OperationRun, backup: SnapshotFacts): Promise<ProofReport | null> {
  const { means, operation } = run
  for (let tries = Number(operation.marks.tries ?? 1); tries <= TRIES; tries++) {
    // A report that came before this run was begun anew.
    const known = await means.proofs.of(operation.id)
    if (known) return known
    run.step("resources")
    await makeProver(run, backup)
    if (operation.marks.since === undefined) await run.mark("since", String(means.now()))
    run.step("boot")
    const report = await waitForReport(run, Number(operation.marks.since) + means.config.proofMs)
    if (report) return report
    run.say("The machine did not report in time.")
    await removeProvers(run)
    await run.mark("tries", String(tries + 1))
    await run.mark("since", String(means.now()))
  }
  return null
}

async function waitForReport({ means, operation, signal }: OperationRun, until: number): Promise<ProofReport | null> {
  let news = Promise.withResolvers<void>()
  const wake = () => news.resolve()
  const forget = await means.channel.waitFor(operation.id, wake)
  signal.addEventListener("abort", wake, { once: true })
  try {
    for (;;) {
      signal.throwIfAborted()
      news = Promise.withResolvers()
      const report = await means.proofs.of(operation.id)
      if (report || means.now() > until) return report
      const timer = setTimeout(wake, LOOK_MS)
      await news.promise
      clearTimeout(timer)
    }
  } finally {
    forget()
    signal.removeEventListener("abort", wake)
  }
}
