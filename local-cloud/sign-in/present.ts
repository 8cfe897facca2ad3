import { idOf, type Person } from "./people.ts"

// Shapes: the schemas public-user, private-user, organization-simple, org-membership, simple-user and email of GitHub's
// API description (github/rest-api-description, read as @octokit/openapi-types 29.0.1). Addresses are laid out as at
// GitHub Enterprise Server: pages at the root, the API under /api/v3.

/** Everybody joined when GitHub's own example users did; nothing depends on it. */
const SINCE = "2008-01-14T04:33:35Z"

const nodeId = (kind: string, id: number) => Buffer.from(`04:${kind}${id}`).toString("base64")
const avatar = (origin: string, id: number) => `${origin}/avatars/u/${id}?v=4`

/** @param origin where the stand-in was asked, such as `http://127.0.0.1:8446` */
export function presentSimpleUser({ login }: Person, origin: string) {
  const id = idOf("User", login)
  const url = `${origin}/api/v3/users/${login}`
  return {
    login,
    id,
    node_id: nodeId("User", id),
    avatar_url: avatar(origin, id),
    gravatar_id: "",
    url,
    html_url: `${origin}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: "User",
    site_admin: false,
  }
}

/** Somebody's own profile; what is private of it only for a token that may see it. */
export function presentUser(person: Person, origin: string, isPrivate: boolean) {
  return {
    ...presentSimpleUser(person, origin),
    user_view_type: isPrivate ? "private" : "public",
    name: person.name,
    company: null,
    blog: "",
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    notification_email: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: SINCE,
    updated_at: SINCE,
    ...(isPrivate && {
      private_gists: 0,
      total_private_repos: 0,
      owned_private_repos: 0,
      disk_usage: 0,
      collaborators: 0,
      two_factor_authentication: true,
    }),
  }
}

export function presentOrganization(login: string, origin: string) {
  const id = idOf("Organization", login)
  const url = `${origin}/api/v3/orgs/${login}`
  return {
    login,
    id,
    node_id: nodeId("Organization", id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: avatar(origin, id),
    description: null,
  }
}

export function presentMembership(person: Person, organization: string, origin: string) {
  const url = `${origin}/api/v3/orgs/${organization}`
  return {
    url: `${url}/memberships/${person.login}`,
    state: "active" as const,
    role: "member" as const,
    organization_url: url,
    user: presentSimpleUser(person, origin),
    organization: presentOrganization(organization, origin),
  }
}

/** One address, of the domain that is kept free for examples. */
export function presentEmails({ login }: Person) {
  return [{ email: `${login.toLowerCase()}@example.com`, primary: true, verified: true, visibility: null }]
}
