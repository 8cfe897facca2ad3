import type { HomeRecord } from "../home-backups/records.ts"
import { notice, postForm } from "./controls.ts"
import { document } from "./document.ts"
import { html } from "./html.ts"
import { icon } from "./icons.ts"
import type { Notice, SignedIn } from "./models.ts"
import { timeAgo } from "./time.ts"
import { bytes } from "./words.ts"
import { backupRows } from "./workspace/backup-rows.ts"
import { homeRows } from "./workspace/home-backups.ts"
import type { BackupView } from "./workspace/model.ts"

export interface BackupsModel extends SignedIn {
  /** Newest first. */
  backups: BackupView[]
  /** What providers are called that do not answer: what they have is missing. */
  away?: string[]
  /** Home backups that deleted workspaces have left. */
  homes?: HomeRecord[]
  notice?: Notice
}

/** All backups of a user, those of deleted workspaces too. */
export function backupsPage({
  user,
  csrf,
  backups,
  away = [],
  homes = [],
  notice: said,
  now = Date.now(),
}: BackupsModel): string {
  const living = backups.filter(one => one.isLiving)
  const left = backups.filter(one => !one.isLiving)
  const all = backups.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  return document({
    title: "Backups",
    signedIn: { user, csrf },
    layout: "narrow",
    body: html`<div class="page-head"><h1>Backups</h1>${all > 0 && html`<p class="soft">${backups.length === 1 ? "1 backup" : `${backups.length} backups`}, ${bytes(all)}</p>`}</div>
${said !== undefined && notice(said)}
${away.length > 0 && html`<div class="notice info" role="status">${icon("info")}<p>${away.join(" and ")} ${away.length === 1 ? "does" : "do"} not answer at the moment: backups there are not in this list for now. Load the page again in a minute.</p></div>`}
<section class="card section" aria-labelledby="living"><h2 id="living">Of your workspaces</h2>
${
  living.length === 0
    ? html`<p class="soft">There is none. A workspace is backed up on <a href="/">its own page</a>.</p>`
    : backupRows(living, { now, showsWorkspace: true })
}
<p class="small soft">To put one in the place of its workspace, go to the workspace.</p></section>
<section class="card section" aria-labelledby="left"><h2 id="left">Left by deleted workspaces</h2>
${
  left.length === 0
    ? html`<p class="soft">There is none. When a workspace is deleted, its disk is kept here for a while.</p>`
    : backupRows(left, { now, showsWorkspace: true })
}</section>
${
  homes.length > 0 &&
  html`<section class="card section" aria-labelledby="homes"><h2 id="homes">Homes of deleted workspaces</h2>
<p class="soft">Encrypted copies of their home folders; a new workspace can begin with one at any provider.</p>
${homes.map(
  one =>
    html`<h3>${one.deletedName ?? one.workspace}</h3>${one.keepUntil !== null && html`<p class="small soft">Removed by itself ${timeAgo(one.keepUntil, now)}.</p>`}${homeRows(one, { now })}`,
)}</section>`
}`,
  })
}

export interface RemoveBackupModel extends SignedIn {
  backup: BackupView
}

/** Asks before a backup goes for good. */
export function removeBackupPage({ user, csrf, backup, now = Date.now() }: RemoveBackupModel): string {
  const back = backup.isLiving ? `/workspaces/${encodeURIComponent(backup.workspace)}` : "/backups"
  return document({
    title: `Remove ${backup.name}`,
    signedIn: { user, csrf },
    layout: "center",
    body: html`<section class="card dialog">
<span class="round bad">${icon("trash")}</span>
<h1>Remove this backup?</h1>
<p><strong class="name">${backup.name}</strong> of ${backup.workspaceName ?? backup.workspace}, made ${timeAgo(backup.createdAt, now)}.</p>
<p>${backup.kind === "final" ? "It is the last there is of a workspace that was deleted. " : ""}It is gone for good then, for you and for everybody.</p>
${postForm({
  action: `/backups/${encodeURIComponent(backup.id)}/remove`,
  csrf,
  content: html`<div class="actions"><button class="button danger-fill">${icon("trash")}Remove it</button><a class="button quiet" href="${back}">Keep it</a></div>`,
})}
</section>`,
  })
}
