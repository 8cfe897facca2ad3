import { document } from "./document.ts"
import { html } from "./html.ts"

export interface ApiDocsModel {
  /** An OpenAPI 3.1 document. */
  document: object
}

export function apiDocsPage(model: ApiDocsModel): string {
  return document({ title: "API", body: html`<h1>API</h1><pre>${JSON.stringify(model.document, null, 2)}</pre>` })
}
