/** `npm run setup`: prepares this machine and says what it has. `--yes` installs system packages without asking. */
import { SetupError } from "./errors.ts"
import { setUp } from "./setup.ts"

try {
  const { engine } = await setUp({ assumeYes: process.argv.includes("--yes") || process.env.CI === "true" })
  for (const [name, part] of Object.entries({ "Pulumi CLI": engine.pulumi, "hcloud plugin": engine.hcloudPlugin })) {
    console.log(`${name} ${part.version} (${part.source}): ${part.path}`)
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
