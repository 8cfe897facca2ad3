import { postForm } from "../controls.ts"
import { type Html, html } from "../html.ts"
import { timeAgo } from "../time.ts"
import { bytes } from "../words.ts"
import type { BackupView } from "./model.ts"

const KIND_WORDS: Record<BackupView["kind"], string> = {
  backup: "Backup",
  safety: "Before a change",
  final: "Left by a deleted workspace",
}

/** Backups in rows, with what can be done with each. @param into the workspace they can be restored in place of */
export function backupRows(
  backups: BackupView[],
  { now, into, showsWorkspace }: { now: number; into?: string | undefined; showsWorkspace?: boolean },
): Html {
  return html`<ul class="rows backups" role="list">${backups.map(
    one => html`<li><div class="row-main"><strong>${one.name}</strong> <span class="badge off">${kind(one)}</span>${proofBadge(one)}
${showsWorkspace === true && html`<p class="small">${whose(one)}</p>`}
<p class="small soft">Made ${timeAgo(one.createdAt, now)} · ${one.bytes === null ? "size not known yet" : bytes(one.bytes)} · ${kept(one, now)}</p>
<p class="small soft">${proof(one, now)}</p></div>
<div class="actions">${one.available ? html`${use(one, into)}${remove(one)}` : html`<span class="small soft">It is not ready yet</span>`}</div></li>\n`,
  )}</ul>`
}

const kind = ({ kind, scheduled }: BackupView) => (scheduled ? "Daily backup" : KIND_WORDS[kind])

const proofBadge = ({ proof }: BackupView) =>
  proof === "passed"
    ? html` <span class="badge good">Proven</span>`
    : proof === "failed" && html` <span class="badge bad">Does not restore</span>`

function proof({ proof, provenAt }: BackupView, now: number): Html {
  if (proof === null || provenAt === null) return html`No restore of it was proven yet.`
  return proof === "passed"
    ? html`Last proven restore ${timeAgo(provenAt, now)}.`
    : html`It was tried ${timeAgo(provenAt, now)}, and a machine made of it did not pass its checks.`
}

const kept = ({ keepUntil }: BackupView, now: number) =>
  keepUntil === null ? "kept until you remove it" : html`removed by itself ${timeAgo(keepUntil, now)}`

const whose = ({ workspace, workspaceName, isLiving }: BackupView) =>
  isLiving
    ? html`Of <a href="/workspaces/${workspace}">${workspaceName ?? workspace}</a>`
    : html`Of ${workspaceName ?? workspace} <span class="soft">(deleted)</span>`

const use = (one: BackupView, into: string | undefined) =>
  html`${into !== undefined && html`<a class="button small" href="/workspaces/${into}/restore?backup=${one.id}">Restore<span class="visually-hidden"> ${one.name}</span></a>`}<a class="button small" href="/workspaces/new?from=${one.id}">New workspace from this<span class="visually-hidden">: ${one.name}</span></a>`

/** Leads to a page that asks first. */
const remove = ({ id, name }: BackupView) =>
  html`<a class="button small quiet danger" href="/backups/${id}/remove">Remove<span class="visually-hidden"> ${name}</span></a>`

/** The form that makes one now. */
export const backupForm = (workspace: string, csrf: string, error: string | undefined): Html =>
  postForm({
    action: `/workspaces/${encodeURIComponent(workspace)}/backups`,
    csrf,
    class: "inline-form",
    content: html`<div class="field grow"><label for="backup-name">Name <span class="soft">optional</span></label><input id="backup-name" name="name" maxlength="100" autocomplete="off" placeholder="before the upgrade">${error !== undefined && html`<p class="field-error" role="alert">${error}</p>`}</div>
<button class="button">Back up now</button>`,
  })
