import { InfraError } from "../errors.ts"

/** Characters of the longest path that is taken. */
const MOST_CHARACTERS = 200

/** The places that the dev-container specification names, from the folder of the work. */
const PLACE = /^\.devcontainer(?:\.json|(?:\/([^/]+))?\/devcontainer\.json)$/

/** A folder's name that is no way elsewhere, no hidden one and no option. */
const FOLDER = /^[\p{L}\p{N}_@+~][\p{L}\p{N}\p{M} _@+.~,()=-]*$/u

/** Is it the path of a devcontainer.json, at one of the places where there may be some to choose from? */
export function isDevContainer(path: string): boolean {
  const [, folder] = PLACE.exec(path) ?? [null, ""]
  if (folder === "" || path.length > MOST_CHARACTERS) return false
  return folder === undefined || (FOLDER.test(folder) && !/[. ]$/.test(folder))
}

/**
 * Reads which of a repository's dev containers somebody means.
 * @returns null for nothing
 * @throws InfraError `bad-devcontainer`
 */
export function readDevContainer(text: string): string | null {
  if (text === "") return null
  if (isDevContainer(text)) return text
  throw new InfraError(
    "bad-devcontainer",
    "fail",
    "This cannot be the devcontainer.json of a repository: enter its path such as .devcontainer/devcontainer.json, .devcontainer.json or .devcontainer/python/devcontainer.json.",
  )
}
