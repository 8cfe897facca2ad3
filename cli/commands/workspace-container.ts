import type { Command } from "commander"
import { openApi } from "../api-client.ts"
import { findWorkspace } from "../find-workspace.ts"
import { containerWords, type OutputOptions, printJson } from "../workspace-output.ts"

interface ContainerOptions extends OutputOptions {
  choose?: string
  again?: boolean
}

/** `workspace devcontainer`: the dev container of a workspace's repository. */
export function addWorkspaceContainer(add: (name: string, about: string) => Command): void {
  add("devcontainer <workspace>", "say how far its repository's dev container is, or have it made")
    .option("--choose <path>", "make this one of several: the path of its devcontainer.json")
    .option("--again", "make it again, as its files say now")
    .action(async (given: string, { choose, again, ...options }: ContainerOptions) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      if (choose !== undefined || again) {
        const body = choose === undefined ? {} : { devcontainer: choose }
        await api.raw("POST", `/workspaces/${id}/devcontainer`, { body })
      }
      const { repository } = await findWorkspace(api, id)
      const container = repository?.container ?? null
      if (options.json) return printJson(container)
      console.log(`${id}  ${container === null ? "no dev container" : containerWords(container)}`)
      for (const one of container?.choices ?? []) console.log(`  ${one}`)
      if (container?.log) console.log(container.log)
    })
}
