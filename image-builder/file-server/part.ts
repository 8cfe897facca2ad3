/** Name of what has arrived of an upload, beside where it goes. */
export const partName = (id: string) => `.foozol-upload-${id}`

export const isPart = (name: string) => /^\.foozol-upload-[0-9a-f]{32}$/.test(name)
