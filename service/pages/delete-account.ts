import { field, postForm } from "./controls.ts"
import { document } from "./document.ts"
import { html } from "./html.ts"
import { icon } from "./icons.ts"
import type { SignedIn } from "./models.ts"

export interface DeleteAccountModel extends SignedIn {
  /** Names of the workspaces that go. */
  workspaces: string[]
  /** Snapshots there are; null: the provider does not answer. */
  snapshots: number | null
  /** Days for which the last snapshot of a deleted workspace is kept; 0: none is. */
  keptDays: number
  /** What was wrong with the confirmation. */
  error?: string
}

/** Asks for the user's login name before everything goes. */
export function deleteAccountPage(model: DeleteAccountModel): string {
  const { user, csrf, workspaces, keptDays, error } = model
  return document({
    title: "Delete your account",
    signedIn: { user, csrf },
    scripts: ["confirm"],
    layout: "narrow",
    body: html`<p class="back"><a href="/account">Account</a></p>
<div class="page-head"><h1>Delete your account</h1></div>
<section class="card section">
<h2>What happens</h2>
<ul class="plain">
<li>You are signed out everywhere at once: logins, open desktops and tokens for scripts end.</li>
<li>${
      workspaces.length === 0
        ? "You have no workspace that would have to be deleted."
        : html`${workspaces.length === 1 ? "Your workspace" : `Your ${workspaces.length} workspaces`} <strong>${workspaces.join(", ")}</strong> ${workspaces.length === 1 ? "is" : "are"} deleted with machine, disk, address and keys.`
    }</li>
<li>Keys, settings, notifications and your budget are forgotten, and last of all that you were here.</li>
</ul>
<h2>What stays</h2>
<ul class="plain">
<li>The usage ledger, as long as the operator has to account for what was billed: your number at GitHub, and for each workspace its id and name, size, region, price, and when it was on. Your name, login name, mail address and keys are not in it.</li>
<li>${kept(model)}</li>
</ul>
<p>You can sign in again afterwards, and begin anew.</p>
${postForm({
  action: "/account/delete",
  csrf,
  class: "stack",
  content: html`${
    keptDays > 0 &&
    html`<label class="check"><input type="checkbox" name="snapshots" value="remove"><span>Remove my backups and the last snapshots as well. They cannot be had back.</span></label>`
  }
${field({
  id: "confirm",
  name: "confirm",
  label: "Type your login name to confirm",
  hint: html`It is <strong class="name" id="expected">${user.login}</strong>`,
  error,
  more: { required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
})}
<div class="actions"><button class="button danger-fill" data-confirmed>${icon("trash")}Delete my account</button><a class="button quiet" href="/account">Keep it</a></div>`,
})}
</section>`,
  })
}

function kept({ keptDays, snapshots }: DeleteAccountModel): string {
  if (keptDays === 0) return "No backup and no snapshot: they go with the workspaces."
  const there = snapshots === null || snapshots === 0 ? "" : ` (there ${snapshots === 1 ? "is" : "are"} ${snapshots})`
  return `A last snapshot of each workspace, and your backups${there}, for ${keptDays} days, unless you say otherwise below: sign in again within that time, and you find them under Backups.`
}
