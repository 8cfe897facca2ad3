import { ServiceError } from "../../errors.ts"
import type { NewWorkspaceModel, NewWorkspaceValues } from "../../pages/index.ts"
import { CreateWorkspace } from "../../workspaces/wishes.ts"
import type { Form } from "./forms.ts"

type Errors = NonNullable<NewWorkspaceModel["errors"]>

/** What was entered into the form for a new workspace: a wish, or what is wrong with it. */
export type Entered = { values: NewWorkspaceValues } & ({ wish: CreateWorkspace } | { errors: Errors })

const FIELDS = [
  "home",
  "from",
  "profile",
  "region",
  "provider",
  "sizeClass",
  "name",
  "proxy",
  "repository",
  "secrets",
] as const

const REPOSITORY = ["repository", "branch", "folder", "devcontainer"] as const

/** Reads the form. Values of secrets go into the wish alone, never into what is shown again. */
export function readWorkspaceForm(form: Form): Entered {
  const names = form.all("secretName").map(name => name.trim())
  const secretValues = form.all("secretValue")
  const rows = names.flatMap((name, index) => {
    const value = secretValues[index]?.trim() ?? ""
    return value === "" ? [] : [[name, value] as const]
  })
  const values: NewWorkspaceValues = {
    ...Object.fromEntries(
      (["profile", "sizeClass", "region", "provider", "name"] as const).map(name => [name, form.text(name)]),
    ),
    ...repositoryValues(name => form.text(name)),
    secretNames: rows.map(([name]) => name),
  }
  if (rows.some(([name]) => name === "")) return { values, errors: { secrets: "A key has a value, but no name." } }
  const given = Object.fromEntries(
    (["from", "profile", "sizeClass", "region", "provider", "name", "proxy"] as const).flatMap(name =>
      form.text(name) === "" ? [] : [[name, form.text(name)]],
    ),
  )
  const [url, branch, folder, devcontainer] = REPOSITORY.map(name => form.text(name))
  const repository =
    url || branch || folder || devcontainer ? { repository: { url, branch, folder, devcontainer } } : {}
  const home = homeIn(form)
  const parsed = CreateWorkspace.safeParse({
    ...given,
    ...repository,
    ...(home ? { home } : {}),
    secrets: Object.fromEntries(rows),
  })
  if (parsed.success) return { values, wish: parsed.data }
  const errors: Errors = {}
  for (const issue of parsed.error.issues) {
    const field = FIELDS.find(name => name === issue.path[0]) ?? "form"
    // zod's issue of a wrong key of a record hides the reason one level down.
    const reason = "issues" in issue ? (issue.issues[0]?.message ?? issue.message) : issue.message
    errors[field] ??= field === "secrets" ? `${String(issue.path[1] ?? "A key")} ${reason}.` : sentence(reason)
  }
  return { values, errors }
}

/** What the page gave the form to be known by; null where there is nothing that could be of a page. */
export function keyIn(form: Form): string | null {
  const key = form.text("idempotencyKey")
  return /^[\w-]{1,64}$/.test(key) ? key : null
}

/** The home backup that a form names, not yet checked. */
export function homeIn(form: Form): { workspace: string; backup?: string } | undefined {
  const [workspace, backup] = [form.text("home"), form.text("homeBackup")]
  return workspace === "" ? undefined : { workspace, ...(backup === "" ? {} : { backup }) }
}

/** What stands in the fields of the repository. An address with a password in it is not shown again. */
export function repositoryValues(text: (name: (typeof REPOSITORY)[number]) => string) {
  const url = text("repository")
  return {
    repository: /\/\/[^/]*@/.test(url) && !/^ssh:/i.test(url) ? "" : url,
    branch: text("branch"),
    folder: text("folder"),
    devcontainer: text("devcontainer"),
  }
}

/** Which field an error of the creation itself belongs to. */
export function errorsOf(error: unknown): Errors | null {
  if (!(error instanceof ServiceError)) return null
  if (error.id === "sold-out") return { sizeClass: error.message }
  if (["bad-repository", "unknown-host", "repository-and-backup"].includes(error.id))
    return { repository: error.message }
  if (error.id === "bad-branch") return { branch: error.message }
  if (error.id === "bad-folder") return { folder: error.message }
  if (error.id === "bad-devcontainer") return { devcontainer: error.message }
  if (["no-home-backup", "no-home-backups", "two-homes", "storage-away"].includes(error.id))
    return { home: error.message }
  if (error.id === "no-backup") return { from: error.message }
  if (error.id === "disk-too-large" || error.id === "disk-too-small") return { sizeClass: error.message }
  if (error.id === "unknown-region") return { region: error.message }
  if (error.id === "unknown-provider") return { provider: error.message }
  if (error.id === "idempotency-key-reused") {
    return { form: "A workspace was made by this form before, with other entries. For another one, send it once more." }
  }
  if (["quota-reached", "no-image", "not-offered-to-you"].includes(error.id)) return { form: error.message }
  return null
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
