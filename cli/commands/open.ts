import type { Command } from "commander"
import { type Repository, readRepository } from "../../infra/repositories/repository.ts"
import { openApi, withUrl } from "../api-client.ts"
import { listWorkspaces } from "../find-workspace.ts"
import { openInBrowser } from "../open-in-browser.ts"
import { type ApiWorkspace, bookmarkOf, finish, printJson, Started } from "../workspace-output.ts"
import { type WishOptions, wishOf, withWish } from "../workspace-wish.ts"

/** `foozol-cloud open`: from the address of a git repository to a terminal in it. */
export function addOpen(program: Command): void {
  withWish(withUrl(program.command("open <repository>")))
    .description("open a terminal in a git repository: in the workspace of yours that has it, or in a new one")
    .option("--new", "in a new one, whatever there is")
    .option("--print", "only print the terminal's address")
    .option("--json", "print JSON, and nothing else")
    .action(async (address: string, options: WishOptions & { new?: boolean; print?: boolean }) => {
      const api = openApi(options)
      const wanted = readWanted(address, options)
      const found = options.new ? undefined : (await listWorkspaces(api)).find(one => has(one, wanted))
      const workspace = found ?? (await create())
      const url = bookmarkOf(api, workspace, "terminal")
      if (options.json) return printJson({ workspace: workspace.id, created: found === undefined, url })
      console.log(url)
      if (!options.print) openInBrowser(url)

      async function create(): Promise<ApiWorkspace> {
        const body = wishOf({ ...options, repository: address })
        const begun = await api.call("POST", "/workspaces", Started, { body })
        if (!options.json) await finish(api, begun, options)
        return begun.workspace
      }
    })
}

/** Whether its host is allowed, the service says. */
function readWanted(url: string, { branch, folder }: WishOptions): Repository {
  const [, host = ""] = /^ *(?:https:\/\/|ssh:\/\/git@|git@)([^/:]+)/i.exec(url) ?? []
  return readRepository({ url, branch: branch ?? "", folder: folder ?? "" }, [host.toLowerCase()])
}

/** Its newest state does not matter: the terminal's address wakes it. */
const has = ({ repository, state }: ApiWorkspace, { url, branch }: Repository) =>
  repository?.url === url && repository.branch === branch && !["FAILED", "TERMINATING"].includes(state)
