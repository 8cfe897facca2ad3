import { createInterface } from "node:readline"
import { InfraError } from "../infra/errors.ts"

/**
 * Says what is about to happen and wants a word typed at a terminal, unless `yes` was given.
 * @throws InfraError `needs-yes` where nobody can be asked, or `not-confirmed`
 */
export async function confirmTyped(what: string, word: string, { yes }: { yes?: boolean | undefined }): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY) {
    throw new InfraError("needs-yes", "fail", `${what} Nobody can be asked here: add --yes if that is meant.`)
  }
  process.stderr.write(`${what}\nType "${word}" to go on: `)
  const lines = createInterface({ input: process.stdin })
  const typed = await new Promise<string>(resolve => lines.once("line", resolve).once("close", () => resolve("")))
  lines.close()
  if (typed.trim() !== word) {
    throw new InfraError("not-confirmed", "fail", "That is something else, so nothing was done (--yes does not ask).")
  }
}
