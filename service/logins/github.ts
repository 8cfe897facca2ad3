import { z } from "zod"
import type { Config } from "../config.ts"
import { ServiceError } from "../errors.ts"
import { organisationsIn } from "../offers/rules.ts"

/** Who somebody is, as GitHub says. */
export const GithubProfile = z.looseObject({
  id: z.int().positive(),
  login: z.string().regex(/^[A-Za-z0-9_-]{1,60}$/),
  name: z.string().nullish(),
  avatar_url: z.url({ protocol: /^https?$/ }).nullish(),
})
export type GithubProfile = z.output<typeof GithubProfile>

/** Milliseconds GitHub may take to answer. */
export const PATIENCE_MS = 10_000

/** Addresses of a GitHub: its own, or those of a GitHub Enterprise Server, which has everything under one host. */
export function githubUrls(url: string) {
  const api = url === "https://github.com" ? "https://api.github.com" : `${url}/api/v3`
  return {
    authorize: `${url}/login/oauth/authorize`,
    access: `${url}/login/oauth/access_token`,
    profile: `${api}/user`,
    membership: (org: string) => `${api}/user/memberships/orgs/${encodeURIComponent(org)}`,
  }
}

/** Who is in an organisation can only be asked with this scope; where no rule names one, none is asked for. */
export const scopesFor = ({ allow, offers }: Pick<Config, "allow" | "offers">) =>
  allow.some(rule => rule.startsWith("org:")) || organisationsIn(offers).length > 0 ? ["read:org"] : []

/**
 * May this person in? The token is used for this question and then forgotten.
 * @throws ServiceError `not-allowed`, or `github-away`
 */
export async function requireAllowed(config: Config, profile: GithubProfile, token: string): Promise<void> {
  const login = profile.login.toLowerCase()
  const rules = config.allow.map(rule => rule.toLowerCase())
  if (rules.includes("everyone") || rules.includes(`user:${login}`)) return
  const urls = githubUrls(config.github.url)
  for (const rule of rules) {
    if (rule.startsWith("org:") && (await isActiveMember(urls.membership(rule.slice(4)), token))) return
  }
  throw new ServiceError(
    "not-allowed",
    403,
    `@${profile.login} may not use this service: ask its operator to let you in.`,
  )
}

/**
 * In which organisations this person is, of those that the rules of what is offered name.
 * @throws ServiceError `github-away`
 */
export async function organisationsOf({ github, offers }: Config, token: string): Promise<string[]> {
  const { membership } = githubUrls(github.url)
  const named = organisationsIn(offers)
  const isIn = await Promise.all(named.map(name => isActiveMember(membership(name), token)))
  return named.filter((_, at) => isIn[at])
}

async function isActiveMember(url: string, token: string): Promise<boolean> {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: "application/vnd.github+json",
    "user-agent": "foozol-cloud",
    "x-github-api-version": "2022-11-28",
  }
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null)
  // 403: the organisation lets no app of ours look; 404: not a member.
  if (answer?.status === 404 || answer?.status === 403) return false
  if (!answer?.ok) throw new ServiceError("github-away", 503, "GitHub does not answer at the moment: try again soon.")
  return ((await answer.json()) as { state?: string }).state === "active"
}
