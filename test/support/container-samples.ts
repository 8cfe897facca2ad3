import { readRepository } from "../../infra/repositories/repository.ts"
import type { Fetch } from "../../service/machines/fetch.ts"
import { workspacePage } from "../../service/pages/index.ts"
import { workspaceModel } from "./page-samples.ts"

const [NODE, PYTHON, LONG] = ["node-22", "python", "a-name-that-nobody-would-type-but-somebody-has"].map(
  name => `.devcontainer/${name}/devcontainer.json`,
) as [string, string, string]

const LOG = `[1 ms] @devcontainers/cli 0.89.0. Node.js v24.21.0. linux 6.1.0-40-cloud-amd64 x64.
[212 ms] Start: Run: podman build -f /tmp/devcontainercli-user/Dockerfile-with-features -t vsc-analytical-engine-2f0c .
STEP 1/6: FROM mcr.microsoft.com/devcontainers/python:3.13 AS dev_container_auto_added_stage_label
STEP 2/6: RUN pip install --no-cache-dir --requirement /tmp/requirements.txt
ERROR: Could not find a version that satisfies the requirement difference-engine==1822 (from versions: none)
Error: building at STEP "RUN pip install": while running runtime: exit status 1`

/** Pages of a workspace whose repository has a dev container, by path. */
export function containerPages(): Record<string, string> {
  const repository = readRepository({ url: "https://github.com/ada/analytical-engine" })
  const page = (container: NonNullable<Fetch["container"]>) =>
    workspacePage(workspaceModel({ repository, fetch: { state: "fetched", folder: "analytical-engine", container } }))
  return {
    "/container-building": page({
      ...{ state: "building", config: PYTHON },
      line: "STEP 2/6: RUN pip install --no-cache-dir --requirement /tmp/requirements.txt",
      log: LOG.split("\n").slice(0, 4).join("\n"),
    }),
    "/container-running": page({ state: "running", config: ".devcontainer/devcontainer.json" }),
    "/container-running-of-several": page({ state: "running", config: NODE, choices: [NODE, PYTHON, LONG] }),
    "/container-choose": page({ state: "choose", choices: [NODE, PYTHON, LONG] }),
    "/container-missing": page({ state: "choose", config: LONG, choices: [PYTHON] }),
    "/container-failed": page({
      ...{ state: "failed", config: PYTHON, log: LOG },
      reason: "An error occurred building the image. Error: building at STEP “RUN pip install”: exit status 1",
    }),
    "/container-ended": page({ state: "ended", config: PYTHON, reason: "Its container has ended." }),
  }
}
