import type { Command } from "commander"
import type { z } from "zod"
import { CertificatesSchema } from "../../service/routes/api/operator/certificates.ts"
import { type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { printTable } from "../print-table.ts"

interface Options extends ApiOptions {
  json?: boolean
  troubled?: boolean
}

/** `foozol-cloud certificates`: what machines show to browsers, and what authorities grant yet. */
export function addCertificates(program: Command): void {
  withUrl(
    program.command("certificates").description("certificates of all machines by expiry, and what authorities grant"),
  )
    .addHelpText("after", "\nFor operators: FOOZOL_API_URL, and in FOOZOL_API_TOKEN a token of the scope operate.")
    .option("--troubled", "only those that wait, have expired, or whose last try failed")
    .option("--json", "print JSON, and nothing else")
    .action(async ({ json, troubled, ...options }: Options) => {
      const found = await openApi(options).call(
        "GET",
        `/operator/certificates${troubled ? "?troubled=true" : ""}`,
        CertificatesSchema,
      )
      if (json) console.log(JSON.stringify(found, null, 2))
      else print(found)
    })
}

function print({ authorities, certificates }: z.output<typeof CertificatesSchema>): void {
  if (authorities.length === 0) console.log("No authority is named (FOOZOL_ACME_DIRECTORY): machines sign their own.")
  for (const { name, most, used, closed } of authorities) {
    const room = most === 0 ? "no limit is set" : `${used} of ${most} new names in 7 days`
    console.log(
      `${name}: ${room}${closed === null ? "" : closed === "down" ? ", does not answer" : ", refuses by limit"}`,
    )
  }
  printTable(
    ["workspace", "login", "state", "by", "good until", ""],
    certificates.map(({ workspace, login, state, issuer, expiresAt, waits, problem }) => [
      ...[workspace, login, state, issuer, expiresAt.slice(0, 16)],
      waits ? `waits until about ${waits.about.slice(0, 16)}` : problem ? `${problem.kind}: ${problem.reason}` : "",
    ]),
  )
}
