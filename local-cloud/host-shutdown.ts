import { execFile } from "node:child_process"
import { existsSync } from "node:fs"

/** Whether systemd is shutting this host down or rebooting it; false where there is no systemd. */
export function hostIsStopping(): Promise<boolean> {
  if (!existsSync("/run/systemd/system")) return Promise.resolve(false)
  return new Promise(resolve => {
    // It exits with an error for every state but "running".
    execFile("systemctl", ["is-system-running"], { timeout: 5_000 }, (_error, stdout) =>
      resolve(stdout.trim() === "stopping"),
    )
  })
}
