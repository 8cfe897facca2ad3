/** What could not be done, as it is told to the page. Statuses leave out those that NGINX itself answers with. */
export class Problem extends Error {
  readonly id: string
  readonly status: number
  /** More for the page, such as a name that is free. */
  readonly more: Record<string, unknown>

  constructor(id: string, status: number, message: string, more: Record<string, unknown> = {}) {
    super(message)
    this.id = id
    this.status = status
    this.more = more
  }
}

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException)?.code ?? ""

const WORDS: Record<string, [id: string, status: number, message: string]> = {
  ENOENT: ["gone", 404, "It is not there any more."],
  ENOTDIR: ["gone", 404, "It is not there any more."],
  EACCES: ["no-rights", 409, "You may not do that there: its rights say otherwise. A terminal with sudo can."],
  EPERM: ["no-rights", 409, "You may not do that there: its rights say otherwise. A terminal with sudo can."],
  EROFS: ["no-rights", 409, "Nothing can be written there."],
  EEXIST: ["exists", 409, "Something of that name is there already."],
  ENOTEMPTY: ["exists", 409, "Something of that name is there already."],
  EISDIR: ["exists", 409, "A folder of that name is there already."],
  ELOOP: ["outside", 400, "This is a link that leads nowhere."],
  ENAMETOOLONG: ["bad-name", 400, "That name is too long."],
  ENOSPC: [
    "no-space",
    507,
    "The disk is full. Delete something, empty the trash, or give the workspace a larger size.",
  ],
  EDQUOT: [
    "no-space",
    507,
    "The disk is full. Delete something, empty the trash, or give the workspace a larger size.",
  ],
  EXDEV: ["other-disk", 409, "That lies on another disk: move or delete it in a terminal."],
}

/** Any error as a problem; null where it is a mistake of ours. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  const known = WORDS[codeOf(error)]
  return known === undefined ? null : new Problem(...known)
}
