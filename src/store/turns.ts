/** Who may write next, in order of asking. */
export class Turns {
  readonly #patienceMs: number

  #taken = false
  readonly #waiting: (() => void)[] = []

  /** How long `take` waits. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Rejects when the turn does not come in time. */
  async take(): Promise<void> {
    if (!this.#taken) this.#taken = true
    else await this.#turn(this.#patienceMs)
  }

  /** As `take`, however long it lasts. */
  async takeAtLast(): Promise<void> {
    if (!this.#taken) this.#taken = true
    else await this.#turn(undefined)
  }

  #turn(patienceMs: number | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const start = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#waiting.push(start)
      if (patienceMs === undefined) return
      // Reached when a transaction waits for itself because something in it used the pool.
      timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1)
        reject(new Error('Waited too long for the turn to write.'))
      }, patienceMs)
    })
  }

  /** Lets the next one start. */
  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken = false
    else next()
  }
}
