import { MOST_NAME } from "../workspaces/wishes.ts"
import { field, fieldError, groupError, postForm } from "./controls.ts"
import { document } from "./document.ts"
import { attributes, type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import type { CreateOptions, SignedIn } from "./models.ts"
import { priceTable } from "./price-table.ts"
import { secretRows } from "./secret-rows.ts"
import { sizeChoices } from "./size-choices.ts"
import { timeAgo } from "./time.ts"

/** What may have been entered before; secrets and the proxy are never sent back. */
export interface NewWorkspaceValues {
  profile?: string
  sizeClass?: string
  region?: string
  provider?: string
  name?: string
  repository?: string
  branch?: string
  folder?: string
  devcontainer?: string
  /** Names of the secrets that were entered. */
  secretNames?: string[]
}

export type NewWorkspaceField =
  | ("from" | "home" | "profile" | "region" | "provider" | "sizeClass" | "name")
  | ("repository" | "branch" | "folder" | "devcontainer" | "proxy" | "secrets")

/** The backup a new workspace is made from. Times are milliseconds since 1970. */
export interface Origin {
  id: string
  name: string
  workspaceName: string
  createdAt: number
  /** What its workspace was for; the new one is for the same. */
  profile: string
}

export interface NewWorkspaceModel extends SignedIn {
  /** Made from that, sent along as the field `from`. */
  from?: Origin | null
  /** The home backup it begins with, sent along as the fields `home` and `homeBackup`. Times are milliseconds since 1970. */
  home?: { workspace: string; backup: string; name: string; at: number } | null
  options: CreateOptions
  values?: NewWorkspaceValues
  /** A link has filled it in: what it would make is said once more. */
  isLinked?: boolean
  /** What is wrong, by field; `form` for what belongs to none. */
  errors?: Partial<Record<NewWorkspaceField | "form", string>>
  /** What it is going to be called if no name is entered. */
  suggestedName?: string
  /** Sent along as the field `idempotencyKey`, so that the same form sent twice creates one workspace. */
  idempotencyKey?: string
}

const LABELS: Record<NewWorkspaceField, string> = {
  from: "Backup",
  home: "Home backup",
  profile: "What it is for",
  region: "Region",
  provider: "Provider",
  sizeClass: "Size",
  name: "Name",
  repository: "Git repository",
  branch: "Branch",
  folder: "Folder",
  devcontainer: "Dev container",
  proxy: "Proxy",
  secrets: "Keys",
}

/** The form that makes a workspace. It posts `secretName` and `secretValue` once a row, in the same order. */
export function newWorkspacePage(model: NewWorkspaceModel): string {
  const { user, csrf, options, values = {}, errors = {}, suggestedName, idempotencyKey, from = null } = model
  const { now = Date.now(), home = null } = model
  const region =
    options.regions.find(one => one.id === values.region) ??
    options.regions.find(one => one.provider === values.provider) ??
    options.regions[0]
  return document({
    title: from === null ? "New workspace" : "New workspace from a backup",
    signedIn: { user, csrf },
    scripts: ["create-form", ...(options.regions.some(one => one.probe) ? ["latency"] : [])],
    body: html`<p class="back">${from === null ? html`<a href="/">Your workspaces</a>` : html`<a href="/backups">Backups</a>`}</p>
<div class="page-head"><h1>${from === null ? "New workspace" : "New workspace from a backup"}</h1></div>
${problems(errors)}
${notes(options, values)}
${model.isLinked === true && Object.keys(errors).length === 0 && linked(values)}
${postForm({
  action: "/workspaces",
  csrf,
  class: "create",
  hidden: {
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(from === null ? {} : { from: from.id, profile: from.profile }),
    ...(home === null ? {} : { home: home.workspace, homeBackup: home.backup }),
  },
  content: html`<div class="create-fields">
${home !== null && html`<div class="card section origin" id="home"><p><strong>The home of ${home.name}</strong>, backed up ${timeAgo(home.at, now)}</p><p class="soft">Its files come into the home of the new workspace, wherever that is, as soon as its machine is there. What was installed outside of the home does not.</p>${fieldError("home", errors.home)}</div>`}
${from === null ? profiles(options, values.profile, errors.profile) : origin(from, options, errors.from, now)}
${options.regions.length > 0 && regions(options, region?.id, errors)}
${options.regions.length > 0 && sizeChoices({ options, region: region?.id, chosen: values.sizeClass, error: errors.sizeClass })}
${options.regions.length > 0 && priceTable(options)}
${field({ id: "name", name: "name", label: LABELS.name, optional: true, value: values.name, error: errors.name, hint: suggestedName === undefined ? "One is picked for you if you leave it empty." : html`Left empty, it is <strong>${suggestedName}</strong>.`, more: { maxlength: MOST_NAME, autocomplete: "off", spellcheck: "false" } })}
${from === null && home === null && repository(values, errors)}
${more(values, errors)}
</div>
<aside class="card summary" aria-label="Price and creation">
<p class="summary-label soft">Price</p>
<p class="summary-price" id="price" aria-live="polite"></p><noscript><p>It depends on size and region: see the table of prices.</p></noscript>
<p class="small soft">The provider's own price, before tax, if it runs all month.</p>
<button ${attributes({ class: "button primary large", disabled: options.regions.length === 0 })}>Create workspace</button>
</aside>`,
})}`,
  })
}

function problems(errors: NonNullable<NewWorkspaceModel["errors"]>): Html | false {
  const found = Object.entries(errors).filter(([, text]) => text !== undefined)
  if (found.length === 0) return false
  return html`<div class="notice error" role="alert">${icon("alert")}<div><strong>It could not be created yet</strong><ul>${found.map(
    ([name, text]) =>
      html`<li>${name === "form" ? text : html`<a href="#${name}">${LABELS[name as NewWorkspaceField]}</a>: ${text}`}</li>`,
  )}</ul></div></div>`
}

/** What is missing in the form, and why. */
function notes(
  { regions, providers, away = [] }: CreateOptions,
  { region = "", provider = "" }: NewWorkspaceValues,
): Html[] {
  const wanted = [provider, region].filter(one => one !== "")
  const isThere = regions.some(
    one => (region === "" || one.id === region) && (provider === "" || (one.provider ?? providers[0]?.id) === provider),
  )
  const gone = away.map(
    name => `${name} does not answer at the moment: what it has is left out. Load the page again in a minute.`,
  )
  if (regions.length === 0 && away.length === 0)
    gone.push("Nothing is offered to you here at the moment: ask the operator.")
  else if (wanted.length > 0 && !isThere)
    gone.push(
      `${wanted.join(", ")}: there is nothing of this for you here at the moment, so another place is chosen below.`,
    )
  return gone.map(text => html`<div class="notice info" role="status">${icon("info")}<p>${text}</p></div>`)
}

const linked = ({ repository = "" }: NewWorkspaceValues): Html =>
  html`<div class="notice info" role="status">${icon("info")}<p>A link has filled this form in, for the repository <strong>${repository}</strong>. Nothing is created before you press “Create workspace”. Do so only if you trust what is in it.</p></div>`

function repository(values: NewWorkspaceValues, errors: NonNullable<NewWorkspaceModel["errors"]>): Html {
  const more = ["branch", "folder", "devcontainer"] as const
  const isOpen = more.some(name => values[name] || errors[name])
  const text = (name: (typeof more)[number], hint: Html | string) =>
    field({
      ...{ id: name, name, label: LABELS[name], optional: true, value: values[name], error: errors[name], hint },
      more: { autocomplete: "off", autocapitalize: "none", spellcheck: "false" },
    })
  return html`${field({
    ...{ id: "repository", name: "repository", label: LABELS.repository, optional: true, value: values.repository },
    error: errors.repository,
    hint: html`Its files are there when you begin, in a folder of your home. For a private one, enter a token that may read it under “Keys and proxy” as <code>GITHUB_TOKEN</code>, <code>GITLAB_TOKEN</code>, <code>CODEBERG_TOKEN</code> or <code>BITBUCKET_TOKEN</code>.`,
    more: {
      placeholder: "https://github.com/owner/name",
      autocomplete: "off",
      autocapitalize: "none",
      inputmode: "url",
      spellcheck: "false",
    },
  })}
<details ${attributes({ class: "more", open: Boolean(isOpen) })}><summary>Branch, folder and dev container <span class="soft">optional</span>${icon("chevron")}</summary>
<div class="more-body">${text("branch", "Left empty, it is the one that its host shows first.")}${text("folder", "Of the repository, such as packages/web: terminals begin there.")}${text("devcontainer", html`Of a repository with several, the one that is meant, such as <code>.devcontainer/python/devcontainer.json</code>.`)}</div></details>`
}

function origin(from: Origin, { profiles }: CreateOptions, error: string | undefined, now: number): Html {
  const profile = profiles.find(one => one.id === from.profile)?.label ?? from.profile
  return html`<div class="card section origin" id="from" tabindex="-1"><p><strong>${from.name}</strong> of ${from.workspaceName}, made ${timeAgo(from.createdAt, now)}</p>
<p class="soft">The new workspace begins with this disk: files, programs and settings as they were. It is a ${profile} again, with a name, an address and keys of its own; the other one, if it is still there, is left alone.</p>${fieldError("from", error)}</div>`
}

function profiles({ profiles }: CreateOptions, chosen: string | undefined, error: string | undefined): Html {
  const first = profiles.find(({ id, available }) => available && id === chosen) ?? profiles.find(one => one.available)
  return html`<fieldset ${groupError("profile", error)}><legend>${LABELS.profile}</legend>
<div class="choices two">${profiles.map(
    ({ id, label, text, available, reason }) => html`<label class="choice">
<input ${attributes({ type: "radio", name: "profile", value: id, required: true, checked: first?.id === id, disabled: !available })}>
<span class="choice-body"><strong>${label}</strong><span class="soft">${text}</span>${!available && html`<span class="reason">${reason ?? "Not available"}</span>`}</span></label>`,
  )}</div>${fieldError("profile", error)}</fieldset>`
}

/** The places of each provider: who chooses a place chooses its provider with it. */
function regions(
  { regions, providers }: CreateOptions,
  chosen: string | undefined,
  errors: NonNullable<NewWorkspaceModel["errors"]>,
): Html {
  const pills = (some: CreateOptions["regions"]) =>
    html`<div class="pills">${some.map(
      ({ id, label, probe }) =>
        html`<label ${attributes({ class: "pill", "data-probe": probe ?? null })}><input ${attributes({ type: "radio", name: "region", value: id, required: true, checked: id === chosen })}><span>${probe === undefined ? label : html`<span data-label>${label}</span><span class="soft" data-latency></span>`}</span></label>`,
    )}</div>`
  const [only] = providers
  const places =
    providers.length > 1
      ? providers.map(
          one =>
            html`<p class="small soft">${one.label}</p>${pills(regions.filter(region => region.provider === one.id))}`,
        )
      : pills(regions)
  return html`<fieldset ${groupError("region", errors.region)}><legend>${LABELS.region}</legend>
${places}<p class="small soft" id="nearest" aria-live="polite" hidden></p>${fieldError("region", errors.region)}</fieldset>
${providers.length === 1 && only !== undefined && html`<p class="small soft" id="provider"><input type="hidden" name="provider" value="${only.id}">Machines are at ${only.label}.</p>`}${fieldError("provider", errors.provider)}`
}

function more(values: NewWorkspaceValues, errors: NonNullable<NewWorkspaceModel["errors"]>): Html {
  const open = errors.proxy !== undefined || errors.secrets !== undefined || (values.secretNames?.length ?? 0) > 0
  return html`<details ${attributes({ class: "more", open })}><summary>Keys and proxy <span class="soft">optional</span>${icon("chevron")}</summary>
<div class="more-body">
${secretRows(values.secretNames, errors.secrets)}
${field({ id: "proxy", name: "proxy", label: LABELS.proxy, optional: true, type: "password", error: errors.proxy, hint: html`An address such as <code>http://user:password@proxy.example:8080</code>. It is kept encrypted and never shown again.`, more: { autocomplete: "off", spellcheck: "false" } })}
</div></details>`
}
