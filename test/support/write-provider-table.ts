/** `node test/support/write-provider-table.ts`: runs the conformance suite and writes its results into docs/providers/README.md. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"

const root = join(import.meta.dirname, "..", "..")
const mocha = join(root, "node_modules", "mocha", "bin", "mocha.js")
const { status } = spawnSync(
  process.execPath,
  [mocha, "--no-config", "--timeout", "600000", "test/conformance/providers.test.ts"],
  { cwd: root, stdio: "inherit", env: { ...process.env, FOOZOL_TEST_WRITE_TABLE: "1" } },
)
process.exit(status ?? 1)
