/**
 * Scopes and what each holds besides itself: from docs.github.com, "Scopes for OAuth apps", those that have to do with
 * who somebody is, and the commonest others so that asking for them works. The rest count as unknown.
 */
const HOLDS: Record<string, string[]> = {
  user: ["read:user", "user:email", "user:follow"],
  "read:user": [],
  "user:email": [],
  "user:follow": [],
  "admin:org": ["write:org", "read:org"],
  "write:org": ["read:org"],
  "read:org": [],
  repo: ["repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"],
  public_repo: [],
  gist: [],
  notifications: [],
  workflow: [],
}

export interface AskedScopes {
  /** Sorted, without those that another one holds. */
  scopes: string[]
  /** Names that are no scope. */
  unknown: string[]
}

/** Reads a `scope` parameter: names between blanks or commas. Normalised as GitHub does ("Normalized scopes"). */
export function readScopes(text: string): AskedScopes {
  const names = [...new Set(text.split(/[\s,]+/).filter(Boolean))]
  const known = names.filter(name => Object.hasOwn(HOLDS, name))
  return {
    scopes: known.filter(name => !known.some(other => HOLDS[other]?.includes(name))).sort(),
    unknown: names.filter(name => !Object.hasOwn(HOLDS, name)),
  }
}

/** Whether a token with these scopes may do what needs any one of `needed`. */
export function allows(scopes: string[], needed: string[]): boolean {
  return scopes.some(scope => needed.some(one => one === scope || HOLDS[scope]?.includes(one)))
}
