import { InfraError } from "../errors.ts"
import { readDevContainer } from "./dev-container.ts"

/** Where the source of a workspace is. Every part has been looked at: git may be given it. */
export interface Repository {
  /** `https://HOST/PATH` or `ssh://git@HOST/PATH`. */
  url: string
  host: string
  /** `OWNER/NAME`, without a `.git` behind it; with more folders before the name where the host has such. */
  path: string
  /** Null: as the host says. */
  branch: string | null
  /** Of the working tree, in which the work is; null: its root. */
  folder: string | null
  /** The devcontainer.json that is meant where it has several, from that folder; null: it says itself. */
  devcontainer: string | null
}

/** Something somebody has entered, that may be anything. */
export interface EnteredRepository {
  url: string
  branch?: string
  folder?: string
  devcontainer?: string
}

/** Hosts that repositories may be on where the operator says nothing else. */
export const COMMON_HOSTS = ["github.com", "gitlab.com", "codeberg.org", "bitbucket.org"] as const

/** These answer what has no `.git` at its end with a way elsewhere, or as if it had one; git is to follow no such way. */
const SUFFIXED: ReadonlySet<string> = new Set(COMMON_HOSTS)

/** Here a repository is an owner's; what stands behind its name is a page about it. */
const OWNED: ReadonlySet<string> = new Set(["github.com", "codeberg.org", "bitbucket.org"])

const MOST_CHARACTERS = 512
/** As long as a name in a file system may be. */
const MOST_IN_NAME = 255
/** GitLab's groups may lie in each other twenty deep. */
const MOST_FOLDERS = 22

const HOST = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
/** A name that begins with a dot or a hyphen may be a folder above, a hidden one or an option. */
const NAME = "[A-Za-z0-9_~][A-Za-z0-9._~+-]*"
const PATH = `${NAME}(?:/${NAME})+`

/** Read as text: what a parser of URLs makes of tabs, backslashes or other alphabets is nobody's wish. */
const HTTPS = new RegExp(`^https://(${HOST})/(${PATH})/?$`)
const SSH = new RegExp(`^ssh://git@(${HOST})/(${PATH})/?$`)
/** `git@HOST:PATH`, as hosts show it. */
const SCP = new RegExp(`^git@(${HOST}):(${PATH})/?$`)
/** What stands in a browser's address bar: a branch, and perhaps a folder of it. GitLab writes `/-/tree/`. */
const TREE = new RegExp(`^https://(${HOST})/(${PATH}?)(?:/-)?/tree/([^/]+)(?:/(.+?))?/?$`)

const HINT = "Enter an address such as https://github.com/owner/name or git@github.com:owner/name.git."

const refuse = (id: string, words: string): never => {
  throw new InfraError(id, "fail", words)
}

/**
 * Reads what somebody has entered.
 * @param hosts names of hosts that repositories may be on, in lower case
 * @throws InfraError `bad-repository`, `unknown-host`, `bad-branch`, `bad-folder` or `bad-devcontainer`
 */
export function readRepository(entered: EnteredRepository, hosts: readonly string[] = COMMON_HOSTS): Repository {
  const text = entered.url.replace(/^ +| +$/g, "")
  if (text === "") refuse("bad-repository", `The address of the repository is missing. ${HINT}`)
  if (text.length > MOST_CHARACTERS) {
    refuse("bad-repository", `The address of the repository is longer than ${MOST_CHARACTERS} characters. ${HINT}`)
  }
  const { scheme, host, path, branch, folder } = split(text)
  if (!hosts.includes(host)) {
    refuse("unknown-host", `Repositories on ${host} are not allowed here, only on: ${hosts.join(", ")}.`)
  }
  return {
    url: `${scheme}${host}/${suffixed(host, path)}`,
    host,
    path: path.replace(/\.git$/, ""),
    branch: readBranch(entered.branch ?? "") ?? (branch === undefined ? null : readBranch(branch)),
    folder: readFolder(entered.folder ?? "") ?? (folder === undefined ? null : readFolder(folder)),
    devcontainer: readDevContainer(entered.devcontainer ?? ""),
  }
}

interface Parts {
  scheme: "https://" | "ssh://git@"
  host: string
  path: string
  branch?: string | undefined
  folder?: string | undefined
}

function split(text: string): Parts {
  // Names of hosts know no case; everything after them may.
  const lower = text.replace(/^(?:https:\/\/|ssh:\/\/git@|git@)[^/:]*/i, start => start.toLowerCase())
  const tree = TREE.exec(lower)
  if (tree) {
    const [, host = "", path = "", branch, folder] = tree
    return checked({ scheme: "https://", host, path, branch, folder })
  }
  const https = HTTPS.exec(lower)
  if (https) return checked({ scheme: "https://", host: https[1] ?? "", path: https[2] ?? "" })
  const ssh = SSH.exec(lower) ?? SCP.exec(lower)
  if (ssh) return checked({ scheme: "ssh://git@", host: ssh[1] ?? "", path: ssh[2] ?? "" })
  return refuse("bad-repository", why(lower))
}

function checked(parts: Parts): Parts {
  const names = parts.path.split("/")
  if (names.length > MOST_FOLDERS || names.some(name => name.length > MOST_IN_NAME || /\.lock$/i.test(name))) {
    refuse("bad-repository", `This cannot be the path of a repository: ${parts.path}. ${HINT}`)
  }
  if (OWNED.has(parts.host) && names.length > 2) {
    refuse("bad-repository", `This is a page of ${parts.host}: enter the address of the repository itself. ${HINT}`)
  }
  return parts
}

const suffixed = (host: string, path: string) => (SUFFIXED.has(host) && !path.endsWith(".git") ? `${path}.git` : path)

/** What is wrong with an address that was not understood, where it is a usual mistake. */
function why(text: string): string {
  if (/^http:/i.test(text))
    return `Repositories are fetched over https or ssh only, and this address says http. ${HINT}`
  if (/^(?:file|git|ftps?|ext|fd|rsync|svn|data|javascript):/i.test(text) || /^[./~]/.test(text)) {
    return `Repositories are fetched over https or ssh only. ${HINT}`
  }
  if (/^https:\/\/[^/]*@/i.test(text)) {
    return "The address holds a user name or a password: leave it out, and give a token as a secret."
  }
  if (/^(?:https|ssh):\/\/[^/]*:\d/i.test(text)) return `The address names a port, which is not allowed. ${HINT}`
  return `This is not the address of a repository. ${HINT}`
}

/** As `git check-ref-format --branch` has it, and no option. */
const NO_BRANCH = /[~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|\/\.|\.lock(?:\/|$)|[/.]$|^@$|[^\u0021-\u007e]/

/** @returns null for nothing. @throws InfraError `bad-branch` */
function readBranch(text: string): string | null {
  if (text === "") return null
  if (text.length > MOST_IN_NAME || NO_BRANCH.test(text) || /^(?:HEAD|FETCH_HEAD|refs\/.*)$/.test(text)) {
    refuse("bad-branch", "This cannot be the name of a branch: enter one such as main or feature/login.")
  }
  return text
}

/** @returns null for nothing. @throws InfraError `bad-folder` */
function readFolder(text: string): string | null {
  const folder = text.replace(/\/$/, "")
  if (folder === "" && text === "") return null
  const isGood =
    folder.length <= MOST_CHARACTERS &&
    folder.split("/").every(name => /^[\p{L}\p{N}_@+.~-][\p{L}\p{N}\p{M} _@+.~,()=-]*$/u.test(name)) &&
    folder.split("/").every(name => !/^(?:-.*|\.{1,2}|\.git|git~\d+|.*[. ])$/i.test(name))
  if (!isGood) refuse("bad-folder", "This cannot be a folder of the repository: enter one such as packages/web.")
  return folder
}

/** Of the environment in which git works on what somebody has named. */
export const GIT_ENVIRONMENT = {
  /** It asks nobody; what needs a password fails. */
  GIT_TERMINAL_PROMPT: "0",
  GIT_ALLOW_PROTOCOL: "https:ssh",
} as const

/**
 * The arguments of `git` that fetch a repository into a folder. No other repository is fetched with it, and no way
 * elsewhere is followed.
 */
export function cloneArguments({ url, branch }: Pick<Repository, "url" | "branch">, into: string): string[] {
  return [
    ...["-c", "http.followRedirects=false"],
    ...["clone", "--progress", "--no-recurse-submodules", "--origin", "origin"],
    ...(branch === null ? [] : ["--branch", branch]),
    ...["--", url, into],
  ]
}
