import type { Repository } from "../../../infra/repositories/repository.ts"

/** Why nothing was fetched. */
export interface Verdict {
  /** Trying again is of no use before something is put right. */
  isRefusal: boolean
  /** In words for the workspace's owner, with what to do. */
  reason: string
}

/** Names of the secrets that git is let in with; rootfs/usr/lib/foozol/git-credential gives them to it. */
export const TOKENS: Readonly<Record<string, string>> = {
  "github.com": "GITHUB_TOKEN",
  "gitlab.com": "GITLAB_TOKEN",
  "codeberg.org": "CODEBERG_TOKEN",
  "bitbucket.org": "BITBUCKET_TOKEN",
}

/** What git, or who starts it, says of itself, in one line; what a remote says is left out. */
const OWN_WORDS = /^(?:fatal: |error: |(?=Failed to ))(.*)$/gm

/** What the last words of git mean that ended without having fetched anything. Pure. */
export function verdictOf(said: string, { host, branch }: Pick<Repository, "host" | "branch">): Verdict {
  const token = TOKENS[host]
  const refused = (reason: string): Verdict => ({ isRefusal: true, reason })
  if (/No space left on device|Disk quota exceeded/i.test(said)) return refused("The disk is full: make room on it.")
  if (/Remote branch .* not found/i.test(said))
    return refused(`It has no branch ${branch}: clone it yourself in a terminal.`)
  if (/Authentication failed/i.test(said)) {
    return refused(
      token === undefined
        ? `${host} asks for a password.`
        : `${host} does not take the token in the key ${token}: save one that may read it.`,
    )
  }
  if (
    /could not read (Username|Password)|[Rr]epository .*not found|returned error: (401|403|404)|does not appear to be a git repository/.test(
      said,
    )
  ) {
    const todo =
      token === undefined ? "clone it yourself in a terminal" : `save a token that may read it as the key ${token}`
    return refused(`There is no such repository on ${host}, or it is private. If it is private, ${todo}.`)
  }
  if (/Permission denied \(|Host key verification failed/i.test(said)) {
    return refused(
      `${host} does not let this machine in by SSH: take its https address, or clone it yourself in a terminal.`,
    )
  }
  if (/returned error: 3\d\d|from redirection/.test(said)) {
    return refused(`${host} has it at another address by now: look there for the new one.`)
  }
  if (
    /returned error: (429|5\d\d)|unable to access|RPC failed|early EOF|unexpected disconnect|hung up|timed out|Could not resolve|Connection (refused|reset|closed)|Network is unreachable|Operation too slow|not responding/i.test(
      said,
    )
  ) {
    return { isRefusal: false, reason: `${host} could not be reached, or broke off.` }
  }
  // What an agent before this one has begun is still ending.
  if (/Failed to start transient/.test(said)) return { isRefusal: false, reason: "The try before has not ended yet." }
  const last = [...said.matchAll(OWN_WORDS)].at(-1)?.[1] ?? "it ended without a word"
  return refused(`git has failed: ${last.replace(/[^\P{C}]/gu, " ").slice(0, 200)}. Clone it yourself in a terminal.`)
}
