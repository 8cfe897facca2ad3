import { chmod, chown, rm } from "node:fs/promises"
import type { Server } from "node:http"

/** Opens a socket to NGINX alone. @param gid its group */
export async function listenAt(server: Server, socket: string, gid: number | undefined): Promise<void> {
  // One that an earlier run left behind would be in the way.
  await rm(socket, { force: true })
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socket, resolve))
  await chmod(socket, 0o660)
  if (gid !== undefined) await chown(socket, process.getuid?.() ?? 0, gid)
}
