import { z } from "zod"
import { IMAGE_ID_PATTERN } from "../../infra/image-id.ts"
import { FirstSecrets, ProxyUrl } from "../secrets/rules.ts"
import { PROFILES, PROVIDERS, SIZE_CLASSES } from "./workspace.ts"

const ONE_LINE = "must be one line of visible characters"

const WorkspaceName = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(60, "must have at most 60 characters")
  // In the description of the API stands only this pattern: programs that read it know no classes of Unicode.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, ONE_LINE)
  .refine(text => !/[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text), { error: ONE_LINE })

/** What can be changed about a workspace; what is left out stays as it is. */
export const ChangeWorkspace = z.strictObject({
  name: WorkspaceName.optional(),
  autoStop: z
    .boolean()
    .nullable()
    .optional()
    .meta({ description: "is it stopped by itself when idle? null: as the service does" }),
  keepOnUntil: z.iso
    .datetime({ offset: true })
    .nullable()
    .optional()
    .meta({ description: "it is kept on until then, used or not, for 30 days at most; null: no longer" }),
})
export type ChangeWorkspace = z.output<typeof ChangeWorkspace>

/** What a person or a program asks for. */
export const CreateWorkspace = z.strictObject({
  profile: z.enum(PROFILES).default("browser"),
  sizeClass: z
    .enum(SIZE_CLASSES)
    .optional()
    .meta({ description: "large if missing, and medium at Google: the machine that is meant for a desktop" }),
  region: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a region, such as fsn1")
    .optional(),
  provider: z.enum(PROVIDERS).optional().meta({
    description:
      "that of the region if missing, else the first one that is offered; with `from` it is that of the backup",
  }),
  name: WorkspaceName.optional(),
  from: z
    .string()
    .regex(IMAGE_ID_PATTERN, "must be the id of a backup")
    .optional()
    .meta({ description: "a backup of yours to make it from; it then has that one's profile, whatever is said here" }),
  repository: z
    .strictObject({
      url: z
        .string()
        .max(2000)
        .meta({ description: "such as https://github.com/owner/name, or as a browser shows it" }),
      branch: z.string().max(300).optional().meta({ description: "as its host says if missing" }),
      folder: z
        .string()
        .max(600)
        .optional()
        .meta({ description: "of it, in which terminals begin; its root if missing" }),
    })
    .optional()
    .meta({ description: "a git repository that the machine fetches into its home when it is new; not with `from`" }),
  proxy: ProxyUrl.optional(),
  secrets: FirstSecrets.default({}),
})
export type CreateWorkspace = z.output<typeof CreateWorkspace>
