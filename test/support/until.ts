import { setTimeout as delay } from 'node:timers/promises'

/** Looks again and again until it holds; fails after a minute, or so many milliseconds, which a slow machine may need. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  ms = 60_000,
): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`)
    await delay(20)
  }
}
