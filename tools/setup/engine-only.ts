/** The Pulumi CLI and its plugin, without what only machines of the local cloud need: for images of the service. */
import { ensureEngine } from "./engine.ts"
import { SetupError } from "./errors.ts"
import { createProgress } from "./progress.ts"

try {
  const { pulumi, hcloudPlugin } = await ensureEngine(createProgress())
  console.log(`Pulumi CLI ${pulumi.version}, hcloud plugin ${hcloudPlugin.version}`)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
