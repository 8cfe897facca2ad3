import { type Repository, readRepository } from "../../../infra/repositories/repository.ts"

/** What the service wants fetched. */
export interface RepositoryOrder {
  repository: Repository
  /** Something else is at work on the home: nothing is begun now. */
  isHeld: boolean
}

/** Reads it as strictly as what a person has entered. @throws when it makes no sense */
export function parseRepository(data: Record<string, unknown>): RepositoryOrder {
  const text = (name: string) => {
    const value = data[name] ?? ""
    if (typeof value !== "string") throw new Error(`the repository's ${name} is no text`)
    return value
  }
  // Which hosts may be asked, the service has looked at.
  const parts = { branch: text("branch"), folder: text("folder"), devcontainer: text("devcontainer") }
  return { repository: readRepository({ url: text("url"), ...parts }, [text("host")]), isHeld: data.isHeld === true }
}
