import { randomUUID } from "node:crypto"
import { hostname, userInfo } from "node:os"
import { join } from "node:path"
import { toErrorValue } from "../infra/errors.ts"
import { type AuditFiles, openAuditFiles } from "../service/audit/files.ts"
import { dataDirectory } from "../tools/setup/paths.ts"

/** Files of the audit log that the service of this environment writes. */
export const auditFiles = (env: NodeJS.ProcessEnv = process.env): AuditFiles =>
  openAuditFiles(env.FOOZOL_AUDIT_DIRECTORY || join(dataDirectory(env), "audit"))

/** The system's user; some have a number and no name. */
export function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? "unknown")
  }
}

/** Does something without the service, and writes down who did and what came of it. */
export async function audited<T>(
  about: { action: string; workspace?: string; input?: Record<string, unknown> },
  work: () => Promise<T>,
): Promise<T> {
  let error: string | null = null
  try {
    return await work()
  } catch (thrown) {
    error = toErrorValue(thrown).id
    throw thrown
  } finally {
    const user = systemUser()
    const entry = {
      ...{ id: randomUUID(), at: Date.now(), who: user, login: user, as: "command-line" as const, by: hostname() },
      ...{ from: null, action: about.action, user: null, workspace: about.workspace ?? null, operation: null },
      ...{ input: about.input ?? {}, ok: error === null, status: null, error, request: null },
    }
    await auditFiles()
      .append("command-line", [entry])
      .catch(failed => console.error(`This is not in the audit log: ${(failed as Error).message}.`))
  }
}
