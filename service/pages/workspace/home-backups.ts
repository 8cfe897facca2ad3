import type { HomeBackup, HomeRecord } from "../../home-backups/records.ts"
import { admits } from "../../workspaces/transitions.ts"
import type { Workspace } from "../../workspaces/workspace.ts"
import { postForm } from "../controls.ts"
import { document } from "../document.ts"
import { attributes, type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import type { SignedIn } from "../models.ts"
import { timeAgo } from "../time.ts"
import { bytes } from "../words.ts"
import type { WorkspaceModel } from "./model.ts"

/** So many of them stand on the page; the command line lists all. */
const SHOWN = 8

/** The home backups of a workspace; nothing where the service keeps none. */
export function homeSection({ view, home, csrf }: WorkspaceModel, now: number): Html | false {
  const { id, state } = view.workspace
  if (home === undefined || state === "PROVISIONING" || state === "TERMINATING" || state === "TERMINATED") return false
  const isGoing = home?.run != null
  return html`<section class="card section" aria-labelledby="home-backups"><h2 id="home-backups">Home backups</h2>
${home !== null && homeState(home, now)}
${
  home === null || home.backups.length === 0
    ? html`<p class="soft">There is none yet.</p>`
    : homeRows(home, { now, into: isGoing ? undefined : id })
}
${
  admits(state) &&
  postForm({
    action: `/workspaces/${encodeURIComponent(id)}/home-backups`,
    csrf,
    content: html`<button ${attributes({ class: "button", disabled: isGoing })}>Back the home up now</button>`,
  })
}
<p class="small soft">Encrypted copies of your home folder, kept outside of the provider: made while it is on and when it stops, and good for a new workspace anywhere. Caches and the trash are left out, and what is installed outside of the home is in a backup of the whole disk alone.</p></section>`
}

/** What goes on, what has failed, and whether they are known to restore. */
function homeState({ run, failure, proof, stored, restoredAt }: HomeRecord, now: number): Html {
  return html`${
    run !== null &&
    html`<p role="status">${icon("clock")} ${run.do === "backup" ? "It is being backed up" : run.heardAt === null ? "It is restored as soon as its machine is there" : "It is being restored"}${run.percent !== null && `, ${run.percent} % so far`}.</p>`
  }${
    failure !== null &&
    html`<p class="reason">${failure.do === "backup" ? "The newest try to back it up has failed" : "It could not be restored"} ${timeAgo(failure.at, now)}: ${failure.message}</p>`
  }<p class="small soft">${
    proof === null
      ? "No restore of them was proven yet."
      : proof.passed
        ? html`Last proven restore ${timeAgo(proof.at, now)}.`
        : html`It was tried ${timeAgo(proof.at, now)} whether files come back, and they did not: ${proof.detail ?? "ask the operator"}.`
  }${stored !== null && ` All together take ${bytes(stored)} in the storage.`}${restoredAt !== null && html` Restored ${timeAgo(restoredAt, now)}.`}</p>`
}

/** @param into the workspace they can be restored in */
export function homeRows(
  { workspace, backups }: Pick<HomeRecord, "workspace" | "backups">,
  { now, into }: { now: number; into?: string | undefined },
): Html {
  const row = (one: HomeBackup) =>
    html`<li><div class="row-main"><strong>${timeAgo(one.at, now)}</strong>
<p class="small soft">${one.bytes === null ? "size not known" : bytes(one.bytes)}${one.files !== null && `, ${one.files === 1 ? "1 file" : `${one.files} files`}`}</p></div>
<div class="actions">${into !== undefined && html`<a class="button small" href="/workspaces/${into}/restore-home?from=${workspace}&amp;backup=${one.id}">Restore</a>`}<a class="button small" href="/workspaces/new?home=${workspace}&amp;homeBackup=${one.id}">New workspace from this</a></div></li>\n`
  return html`<ul class="rows backups" role="list">${backups.slice(0, SHOWN).map(row)}</ul>`
}

export interface RestoreHomeModel extends SignedIn {
  workspace: Workspace
  /** Whose home. */
  from: string
  backup: HomeBackup
}

/** Asks before files of a home are put over those that are there. */
export function restoreHomePage({ user, csrf, workspace, from, backup, now = Date.now() }: RestoreHomeModel): string {
  const { id, name, state } = workspace
  return document({
    title: `Restore the home of ${name}`,
    signedIn: { user, csrf },
    layout: "center",
    body: html`<section class="card dialog">
<span class="round warm">${icon("retry")}</span>
<h1>Restore the home of ${name}?</h1>
<p>Files of the home backup made ${timeAgo(backup.at, now)} take the place of those of the same name. Other files stay as they are.</p>
<p>${admits(state) ? "Browser and app are closed for it and started again." : "It is done when the workspace starts next."} To be able to go back, back the home up first.</p>
${postForm({
  action: `/workspaces/${encodeURIComponent(id)}/restore-home`,
  csrf,
  hidden: { from, backup: backup.id },
  content: html`<div class="actions"><button class="button primary">${icon("retry")}Restore it</button><a class="button quiet" href="/workspaces/${id}">Leave it as it is</a></div>`,
})}
</section>`,
  })
}
