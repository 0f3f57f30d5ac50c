/**
 * Lets those who are ready wait for company, so that they go on together.
 *
 * A password hash sweeps the caches of the processor: what follows it costs more than twice as much alone as right
 * after another of its kind, and those that go on together share one commit.
 */
export class Company {
  readonly #size: number
  readonly #longestMs: number
  #ready: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined

  /** How many make a company, and how long the first of them waits for it at most, in milliseconds. */
  constructor(size: number, longestMs: number) {
    this.#size = size
    this.#longestMs = longestMs
  }

  /** Resolves when the company is complete, or set off, or has waited long enough. */
  join(): Promise<void> {
    return new Promise((resolve) => {
      this.#ready.push(resolve)
      if (this.#ready.length >= this.#size) this.setOff()
      else this.#timer ??= setTimeout(() => this.setOff(), this.#longestMs)
    })
  }

  /** Lets everybody go who is ready. */
  setOff(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const ready = this.#ready
    this.#ready = []
    for (const go of ready) go()
  }
}
