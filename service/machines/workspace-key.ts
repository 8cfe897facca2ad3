import type { Keys } from "../keys.ts"

const PURPOSE = "workspace-key"
const FORM = /^fz1\.([a-z0-9-]{1,40})\.([A-Za-z0-9_-]{43})$/

/**
 * The credential of a workspace's machine towards the service. It follows from the workspace's id, which is never
 * used twice, so nothing needs to be stored and nothing is lost with Redis; its text names the workspace it is good for.
 */
export const workspaceKey = (keys: Pick<Keys, "mac">, workspace: string): string =>
  `fz1.${workspace}.${keys.mac(PURPOSE, workspace)}`

/** The workspace a machine belongs to, by the key it shows; null when it is none of ours. */
export function workspaceOfKey(keys: Pick<Keys, "isMac">, authorization: string | undefined): string | null {
  if (!authorization?.startsWith("Bearer ")) return null
  const [, workspace, mac] = FORM.exec(authorization.slice(7)) ?? []
  return workspace && mac && keys.isMac(PURPOSE, workspace, mac) ? workspace : null
}

/** What a key says it is good for, which nobody has checked; null for what has not the form of one. */
export function claimedWorkspace(authorization: string | undefined): { workspace: string; key: string } | null {
  if (!authorization?.startsWith("Bearer ")) return null
  const key = authorization.slice(7)
  const [, workspace] = FORM.exec(key) ?? []
  return workspace ? { workspace, key } : null
}
