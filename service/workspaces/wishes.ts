import { z } from "zod"
import { IMAGE_ID_PATTERN } from "../../infra/image-id.ts"
import { BackupId } from "../home-backups/news.ts"
import { FirstSecrets, ProxyUrl } from "../secrets/rules.ts"
import { PROFILES, PROVIDERS, SIZE_CLASSES } from "./workspace.ts"

const DEVCONTAINER = ".devcontainer/python/devcontainer.json"
const ONE_LINE = "must be one line of visible characters"

/** Most characters of a workspace's name. */
export const MOST_NAME = 60

const WorkspaceName = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(MOST_NAME, `must have at most ${MOST_NAME} characters`)
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

/** Whose home, and which backup of it. */
export const HomeSource = z.strictObject({
  workspace: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, "must be the id of a workspace")
    .meta({ description: "whose home; it may be deleted by now" }),
  backup: BackupId.optional().meta({ description: "which of its home backups; the newest if missing" }),
})
export type HomeSource = z.output<typeof HomeSource>

const RepositoryUrl = z
  .string()
  .max(2000)
  .meta({ description: "such as https://github.com/owner/name, or as a browser shows it" })
const SizeName = z
  .enum(SIZE_CLASSES)
  .meta({ description: "large if missing, and medium at Google: the machine that is meant for a desktop" })

/** What a person or a program asks for. */
export const CreateWorkspace = z.strictObject({
  profile: z.enum(PROFILES).default("browser"),
  sizeClass: SizeName.optional(),
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
  home: HomeSource.optional().meta({
    description: "a home backup of yours that it begins with, at any provider; not with `from` or `repository`",
  }),
  repository: z
    .strictObject({
      url: RepositoryUrl,
      branch: z.string().max(300).optional().meta({ description: "as its host says if missing" }),
      folder: z
        .string()
        .max(600)
        .optional()
        .meta({ description: "of it, in which terminals begin; its root if missing" }),
      devcontainer: z.string().max(300).optional().meta({
        description: "of several, the devcontainer.json that is meant, from that folder",
        example: DEVCONTAINER,
      }),
    })
    .optional()
    .meta({ description: "a git repository that the machine fetches into its home when it is new; not with `from`" }),
  proxy: ProxyUrl.optional(),
  secrets: FirstSecrets.default({}),
})
export type CreateWorkspace = z.output<typeof CreateWorkspace>

const OTHER_NAMES = { repo: "repository", size: "sizeClass" } as const

/** The same as a program may put it: with the short names of what is wanted most. */
export const AskedWorkspace = z
  .strictObject({
    ...CreateWorkspace.shape,
    repo: RepositoryUrl.optional().meta({
      description:
        "short for `repository` with this as its `url`, such as https://github.com/owner/name; not with `repository`",
    }),
    size: SizeName.optional().meta({ description: "another name of `sizeClass`; not with it" }),
  })
  .superRefine((asked, context) => {
    for (const [short, long] of Object.entries(OTHER_NAMES) as [
      keyof typeof OTHER_NAMES,
      "repository" | "sizeClass",
    ][]) {
      if (asked[short] === undefined || asked[long] === undefined) continue
      context.addIssue({
        code: "custom",
        path: [short],
        message: `is another name of ${long}: send only one of the two`,
      })
    }
  })
  .transform(
    ({ repo, size, ...wish }): z.input<typeof CreateWorkspace> => ({
      ...wish,
      ...(repo === undefined ? {} : { repository: { url: repo } }),
      ...(size === undefined ? {} : { sizeClass: size }),
    }),
  )
  // In one order, whatever it was called: a wish that is sent again is known by its text.
  .pipe(CreateWorkspace)
