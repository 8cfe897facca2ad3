/** One line per step, and on a terminal a running clock for the long ones. Everything goes to stderr. */
export interface Progress {
  say(line: string): void
  /** Runs a long step: says that it began, every `everySeconds` that it goes on, and how long it took. */
  step<T>(title: string, work: (detail: (line: string) => void) => Promise<T>): Promise<T>
}

/** @param everySeconds how often a long step speaks up where there is no terminal to redraw */
export function createProgress(everySeconds = 30, out: NodeJS.WriteStream = process.stderr): Progress {
  const say = (line: string) => void out.write(`${line}\n`)
  return {
    say,
    async step(title, work) {
      const began = Date.now()
      const seconds = () => Math.round((Date.now() - began) / 1000)
      let detail = ""
      say(`${title} …`)
      const show = () => {
        const line = `  ${seconds()} s${detail ? `  ${detail.slice(0, 90)}` : ""}`
        out.isTTY ? out.write(`\r\x1b[K${line}`) : say(line)
      }
      const timer = setInterval(show, out.isTTY ? 500 : everySeconds * 1000)
      try {
        return await work(line => {
          detail = line
        })
      } finally {
        clearInterval(timer)
        if (out.isTTY) out.write("\r\x1b[K")
        say(`  ${seconds()} s`)
      }
    },
  }
}
