import { createHash } from "node:crypto"
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"

/** Letters, digits and single hyphens between them, at most 39: what GitHub's sign-up form says of user names. */
const NAME = /^(?=.{1,39}$)[a-z\d]+(-[a-z\d]+)*$/i

/** A user name, or an organisation's, by GitHub's rules. */
export const isName = (text: string) => NAME.test(text)

export const Person = z.object({
  login: z.string().regex(NAME),
  name: z.string().nullable(),
  organizations: z.array(z.string().regex(NAME)),
})
export type Person = z.output<typeof Person>

/** Who is there from the start: in two organisations, in one, and in none. */
const FIRST: Person[] = [
  { login: "alice", name: "Alice Example", organizations: ["acme", "initech"] },
  { login: "bob", name: "Bob Example", organizations: ["acme"] },
  { login: "carol", name: null, organizations: [] },
]

/** How many who came by themselves are remembered for the page. */
const MOST = 12

export interface People {
  /** For the page: those who were there from the start, then who came last. */
  list(): Person[]
  /** Whoever the list knows by this login; upper and lower case are the same to GitHub. */
  find(login: string): Person | null
  /** Puts somebody on the list who has signed in. */
  remember(person: Person): void
}

/** The people of a folder. Whoever is not on the list can sign in as well: an id follows from the login. */
export function openPeople(directory: string): People {
  const file = join(directory, "sign-in-people.json")
  let came: Person[] = read(file)
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  const list = () => [
    ...FIRST.map(person => came.find(one => same(one.login, person.login)) ?? person),
    ...came.filter(one => !FIRST.some(person => same(one.login, person.login))),
  ]
  const find = (login: string) => list().find(one => same(one.login, login)) ?? null
  return {
    list,
    find,
    remember(person) {
      if (JSON.stringify(find(person.login)) === JSON.stringify(person)) return
      came = [person, ...came.filter(one => !same(one.login, person.login))].slice(0, MOST)
      writeFileSync(`${file}.half`, JSON.stringify(came), { mode: 0o600 })
      renameSync(`${file}.half`, file)
    },
  }
}

/**
 * The id of a user or organisation: the same for a login at all times and on every machine, since workspaces belong to
 * ids. 48 bits of a hash, so that two names share one with a chance of 1 in 5 million among 10,000.
 */
export function idOf(kind: "User" | "Organization", login: string): number {
  return createHash("sha256").update(`${kind}:${login.toLowerCase()}`).digest().readUIntBE(0, 6)
}

function read(file: string): Person[] {
  if (!existsSync(file)) return []
  try {
    return z.array(Person).parse(JSON.parse(readFileSync(file, "utf8")))
  } catch {
    // A list for convenience: who is missing on it types the name.
    return []
  }
}
