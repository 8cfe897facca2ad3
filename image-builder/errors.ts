/** Why an image was not built, in one sentence for people; `log` is the file that tells more. */
export class ImageError extends Error {
  override name = "ImageError"
  readonly id: string
  readonly log: string | undefined

  constructor(id: string, message: string, log?: string) {
    super(log === undefined ? message : `${message} The log: ${log}`)
    this.id = id
    this.log = log
  }
}
