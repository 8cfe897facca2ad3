/** The commands: each file of `commands` adds its own. */
import { Command, CommanderError } from "commander"
import { addAudit } from "./commands/audit.ts"
import { addBackup } from "./commands/backup.ts"
import { addCertificates } from "./commands/certificates.ts"
import { addCompletion } from "./commands/completion.ts"
import { addDoctor } from "./commands/doctor.ts"
import { addImage } from "./commands/image.ts"
import { addLocal } from "./commands/local.ts"
import { addOpen } from "./commands/open.ts"
import { addOperator } from "./commands/operator.ts"
import { addPlatform } from "./commands/platform.ts"
import { addSecrets } from "./commands/secrets.ts"
import { addService } from "./commands/service.ts"
import { addSizes } from "./commands/sizes.ts"
import { addSpares } from "./commands/spares.ts"
import { addStack } from "./commands/stack.ts"
import { addStart } from "./commands/start.ts"
import { addToken } from "./commands/token.ts"
import { addWorkspace } from "./commands/workspace.ts"
import { reportError } from "./report-error.ts"

const program = new Command("foozol-cloud")
  .description("A computer in the cloud for every user, in a browser tab")
  .showHelpAfterError("(add --help for the options)")
  .addHelpText("after", '\nCompletion in bash: eval "$(foozol-cloud completion)"')
  .exitOverride()

for (const add of [
  ...[addStart, addOpen, addWorkspace, addBackup, addToken, addService, addPlatform],
  ...[addOperator, addCertificates, addSpares, addAudit, addSecrets],
  ...[addDoctor, addLocal, addImage, addStack, addSizes, addCompletion],
])
  add(program)

try {
  await program.parseAsync()
} catch (error) {
  // Commander has printed its own message already; --help is not a failure.
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else process.exitCode = reportError(error)
}
