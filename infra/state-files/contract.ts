/** Where the engine's state lies, as files below one root: a folder of this machine, or a bucket. Names are parted by `/`. */
export interface StateFiles {
  /** Null when there is no such file. */
  read(name: string): Promise<string | null>
  /** Names of all files below a folder, from the root; empty when there is none. */
  list(folder: string): Promise<string[]>
  /** Writes a file that is not there yet, whole. @returns false when somebody has written it before; it is as it was then */
  writeNew(name: string, text: string): Promise<boolean>
  /** Puts a file in the place of another: whoever reads it finds one or the other, whole. */
  replace(name: string, text: string): Promise<void>
  /** Is there anything of this name, whether or not it can be read? */
  isThere(name: string): Promise<boolean>
  /** Gives what is there another name, whatever it is. */
  move(name: string, to: string): Promise<void>
  /** Succeeds when it is gone already. */
  remove(name: string): Promise<void>
}
