/// <reference lib="dom" />

/** A picture that comes later than this was not waited for. */
const PATIENCE = 60_000

/**
 * Waits until a picture stands in the canvas of the desktop: noVNC tells nobody, but what it has not drawn on yet is
 * transparent. One point is looked at, by way of a canvas of our own: reading the shown one would make it slow for good.
 * @returns false where none came in a minute, such as in a tab that is hidden
 */
export function firstFrame(screen: HTMLElement): Promise<boolean> {
  const probe = document.createElement("canvas")
  probe.width = 1
  probe.height = 1
  const context = probe.getContext("2d", { willReadFrequently: true })
  const begun = performance.now()
  return new Promise(resolve => {
    const look = () => {
      const canvas = screen.querySelector("canvas")
      if (context === null || performance.now() - begun > PATIENCE) return resolve(false)
      if (canvas !== null && canvas.width > 0 && canvas.height > 0) {
        context.drawImage(canvas, canvas.width >> 1, canvas.height >> 1, 1, 1, 0, 0, 1, 1)
        if (context.getImageData(0, 0, 1, 1).data[3] !== 0) return resolve(true)
      }
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
}
