import type { Services } from "../services.ts"
import { addressOf, type WorkspaceInfo } from "../workspaces/workspace.ts"
import type { Share, ShareSpan } from "./shares.ts"

type Means = Pick<Services, "shares" | "channel" | "config" | "now">

/** Ports that a machine shows nobody, whoever listens there; see the agent's `ports/listeners.ts`. */
const NEVER = new Set([3128, 5900, 6080, 9222, 9229])

/** May this port be shown at all? */
export const isShown = (port: number): boolean =>
  Number.isInteger(port) && port >= 1024 && port <= 65_535 && !NEVER.has(port)

/** Where a port of a workspace's machine is seen: a host of its own below the machine's, so an origin of its own. */
export const portAddress = (
  workspace: Pick<WorkspaceInfo, "id" | "provider">,
  port: number,
  config: Parameters<typeof addressOf>[1],
): string => addressOf(workspace, config).replace("https://", `https://${port}.`)

/** Shares a port. @returns its link too, which is told once. @throws ServiceError `not-running`, `too-many-shares` */
export async function sharePort(
  { shares, config, now }: Means,
  workspace: Pick<WorkspaceInfo, "id" | "provider">,
  port: number,
  span: ShareSpan,
): Promise<{ share: Share; url: string }> {
  const { share, secret } = await shares.open(workspace.id, port, span, now())
  return { share, url: `${portAddress(workspace, port, config)}/.foozol/enter?share=${secret}` }
}

/** Ends a share: its link first, then what is open by it. @returns false for one that is not there */
export async function endShare({ shares, channel }: Means, workspace: string, id: string): Promise<boolean> {
  const revoked = await shares.end(workspace, id)
  if (revoked !== null) await channel.revoke(revoked)
  return revoked !== null
}
