import { escapeHtml, type Page } from "./page.ts"
import { idOf, type Person } from "./people.ts"

export interface Question {
  /** Key of the request that the forms belong to. */
  request: string
  /** Where the answer will go. */
  callback: URL
  scopes: string[]
  people: Person[]
  /** A login to put first: the app's hint, or what was typed and refused. */
  login: string
  organizations: string
  /** Why what was typed is refused, or null. */
  fault: string | null
}

/** The page that asks who you are. Each form stands alone, so that Enter in a field never picks somebody else. */
export function authorizePage(page: Question): Page {
  const known = page.people.find(person => person.login.toLowerCase() === page.login.toLowerCase())
  const suggested = page.fault === null ? known : undefined
  const typed = suggested ? "" : page.login
  const wanted = page.scopes.length > 0 ? page.scopes.join(", ") : "only who you are"
  return {
    status: page.fault === null ? 200 : 422,
    title: "Who are you?",
    content: `<p>The app at <code>${escapeHtml(page.callback.host)}</code> wants to know. It asks for: ${escapeHtml(wanted)}.</p>
<h2 id="people">People here</h2>
<form method="post" action="/login/oauth/authorize" aria-labelledby="people">
${hidden(page.request)}
<ul>${page.people.map(person => `<li>${personButton(person, person === suggested)}</li>`).join("")}</ul>
</form>
<h2 id="other">Somebody else</h2>
<form method="post" action="/login/oauth/authorize" aria-labelledby="other">
${hidden(page.request)}
${page.fault === null ? "" : `<p class="fault" role="alert" id="fault">${escapeHtml(page.fault)}</p>`}
<label for="login">User name</label>
<input id="login" name="login" required autocomplete="off" autocapitalize="none" spellcheck="false"
 value="${escapeHtml(typed)}"${typed ? " autofocus" : ""}${page.fault === null ? "" : ' aria-invalid="true" aria-describedby="fault"'}>
<label for="organizations">Organisations, if any (with blanks between)</label>
<input id="organizations" name="organizations" autocomplete="off" autocapitalize="none" spellcheck="false"
 value="${escapeHtml(page.organizations)}">
<button class="main" name="decision" value="authorize">Continue</button>
</form>
<form method="post" action="/login/oauth/authorize">
${hidden(page.request)}
<button class="cancel" name="decision" value="cancel">Cancel</button>
</form>`,
  }
}

const hidden = (request: string) => `<input type="hidden" name="request" value="${escapeHtml(request)}">`

function personButton(person: Person, suggested: boolean): string {
  const about = [person.name, person.organizations.join(", ")].filter(Boolean).join(" · ")
  return `<button class="person${suggested ? " suggested" : ""}" name="login" value="${escapeHtml(person.login)}"${suggested ? " autofocus" : ""}>
<img src="/avatars/u/${idOf("User", person.login)}" width="36" height="36" alt="">
<span>${escapeHtml(person.login)}${about ? `<small>${escapeHtml(about)}</small>` : ""}</span></button>`
}
