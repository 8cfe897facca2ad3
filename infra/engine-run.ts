/**
 * The engine child: runs one engine action at a time for whoever holds its standard input, and ends when that input
 * ends. Pulumi's SDK keeps global state and may end its process, so it never runs inside the service.
 */
import { enableCompileCache, registerHooks } from "node:module"
import { createInterface } from "node:readline"

// Loading the SDK is most of a fresh child's start; compiled code is kept between starts.
enableCompileCache(process.env.FOOZOL_COMPILE_CACHE)
// Half of that are the compiler and npm's own library, with which the SDK serializes functions and gathers their
// packages. Only dynamic resources are such functions, and our programs have none.
const UNUSED = ["@npmcli/arborist", "typescript"]
const leftOut = {
  url: new URL("./left-out.cjs", import.meta.url).href,
  format: "commonjs" as const,
  shortCircuit: true,
}
registerHooks({
  resolve: (name, context, next) => (UNUSED.includes(name) ? leftOut : next(name, context)),
})
const [
  { openCloud, prepareFor },
  { EngineRequest },
  { toErrorValue, InfraError },
  workspaceStack,
  { foreseeRecovery, recoverStack },
  { lookForDrift },
  { repairAsRecorded, repairWorkspace },
] = await Promise.all([
  import("./open-cloud.ts"),
  import("./engine-protocol.ts"),
  import("./errors.ts"),
  import("./workspace-stack.ts"),
  import("./recover-stack.ts"),
  import("./drift/look.ts"),
  import("./drift/repair.ts"),
])
type Cloud = import("./workspace-stack.ts").Cloud
type RunOptions = import("./engine.ts").RunOptions
type EngineAnswer = import("./engine-protocol.ts").EngineAnswer
type EngineAction = import("./engine-protocol.ts").EngineAction

// Only answers go to standard output; what libraries print must not be taken for one.
const write = process.stdout.write.bind(process.stdout)
const answer = (value: EngineAnswer) => void write(`${JSON.stringify(value)}\n`)
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write

let current: AbortController | null = null
const lines = createInterface({ input: process.stdin })
lines.on("line", line => void take(line))
// Whoever asked is gone: stop at the next resource, so that the state says how far it came.
let isAlone = false
const beAlone = () => {
  isAlone = true
  if (current) current.abort()
  else process.exit(0)
}
lines.on("close", beAlone)
// One that was killed with answers unread ends the channel by an error, not by its end; and the engine's SDK catches
// what nobody else does.
process.stdin.on("error", beAlone)
process.stdout.on("error", beAlone)

// The provider's SDK is needed by every run but the lists; load it before the first request asks for it.
await import("./programs/registry.ts").then(({ loadProgram }) => loadProgram("hetzner"))
answer({ ready: true })

async function take(line: string): Promise<void> {
  try {
    const request = EngineRequest.parse(JSON.parse(line))
    if ("abort" in request) return current?.abort()
    if (current) throw new InfraError("engine-busy", "retry", "This engine child is at work; one action at a time.")
    current = new AbortController()
    const options: RunOptions = { signal: current.signal, onEvent: event => answer({ event }) }
    await prepareFor(request.config, request.run, current.signal)
    const result = await perform(openCloud(request.config), request.run, options)
    answer({ result: result ?? null })
  } catch (error) {
    answer({ error: toErrorValue(error) })
  } finally {
    current = null
    if (isAlone) process.exit(0)
  }
}

async function perform(cloud: Cloud, run: EngineAction, options: RunOptions): Promise<unknown> {
  switch (run.action) {
    case "apply":
      return workspaceStack.applyWorkspace(cloud, run.spec, run.secrets, options)
    case "preview":
      return workspaceStack.previewWorkspace(cloud, run.spec, run.secrets, options)
    case "destroy":
      return workspaceStack.destroyWorkspace(cloud, run.workspace, { ...options, project: run.project })
    case "recover":
      if (run.dryRun) return foreseeRecovery(cloud, run.workspace, options)
      // Beside a run that lives it might write an older state over a newer one.
      if (await cloud.engine.isHeld(run.workspace)) await cloud.engine.unlock(run.workspace, false)
      return recoverStack(cloud, run.workspace, options)
    case "repair":
      await workspaceStack.requireStack(cloud.engine, run.spec.workspace)
      return repairWorkspace(cloud, run.spec, run.secrets, options)
    case "list":
      return cloud.engine.listStacks()
    case "names":
      return cloud.engine.names()
    case "records":
      return cloud.engine.records()
  }
  await workspaceStack.requireStack(cloud.engine, run.workspace)
  switch (run.action) {
    case "refresh":
      return cloud.engine.refresh(run.workspace, options)
    case "drift":
      return lookForDrift(cloud, run.workspace, run, options)
    case "repair-as-recorded":
      return repairAsRecorded(cloud, run.workspace, options)
    case "accept":
      return cloud.engine.accept(run.workspace, run.accepted)
    case "unlock":
      return cloud.engine.unlock(run.workspace, run.force)
    case "holders":
      return cloud.engine.holders(run.workspace)
    case "export":
      return cloud.engine.exportState(run.workspace)
  }
}
