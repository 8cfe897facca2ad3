import { createBackoff, pause } from "../backoff.ts"
import { type Check, checkDisplay, checkHttps, checkUnits, checkVnc } from "../checks.ts"
import type { AgentConfig } from "../config.ts"
import { createDisplay } from "../display.ts"
import { type Log, reasonOf } from "../log.ts"
import type { Run } from "../run.ts"
import { createServiceClient } from "../service/client.ts"
import { displaySize } from "../windows/x11.ts"
import { checkDisk } from "./disk-check.ts"
import { compareWithManifest } from "./manifest.ts"

/** The desktop may take so long to stand, ms; then what is missing is reported. */
const PATIENCE_MS = 240_000
const LOOK_MS = 1_000

/**
 * What the agent does on a machine that was made from a backup to try it out: waits for what of the desktop starts
 * there, compares the files with the manifest on the disk, checks the disk, and reports until it is heard. Nobody is let
 * in: the socket that NGINX passes viewers to is not there, and the service knows no token for this machine.
 */
export async function proveBackup(options: { config: AgentConfig; run: Run; runLong: Run; log: Log }): Promise<void> {
  const { config, run, log } = options
  if (config.service === null) throw new Error("a machine that tries a backup out needs a service to report to")
  const client = createServiceClient({ service: config.service, key: config.workspaceKey, timeoutMs: 10_000 })
  const checks = await untilReady(() => look(config, run))
  const manifest = await compareWithManifest(config.manifest)
  const disk = await checkDisk(options.runLong)
  const report = { checks: [...checks, disk].map(({ name, ok, detail }) => ({ name, ok, detail })), manifest }
  log.info(`found: ${JSON.stringify(report)}`)
  const backoff = createBackoff({ first: 1_000, most: 15_000, random: Math.random })
  const never = new AbortController().signal
  for (;;) {
    try {
      await client.proof(report)
      break
    } catch (error) {
      log.warn(`the report did not reach the service: ${reasonOf(error)}; trying again`)
      await pause(backoff.next(), never)
    }
  }
  client.close()
  log.info("reported")
}

async function untilReady(once: () => Promise<Check[]>): Promise<Check[]> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const checks = await once()
    if (checks.every(check => check.ok) || performance.now() > end) return checks
    await pause(LOOK_MS, new AbortController().signal)
  }
}

/** What starts without anything of the user's: display, window manager, VNC, the door. */
async function look(config: AgentConfig, run: Run): Promise<Check[]> {
  const display = createDisplay(run, config.display.setSize, () => displaySize(config.display.socket))
  const { vnc, https } = config
  const quick = [checkDisplay({ display }), checkVnc({ vnc }), ...(https ? [checkHttps(https)] : [])]
  return [...(await Promise.all(quick)), ...(await checkUnits({ run, units: ["foozol-wm.service"] }))]
}
