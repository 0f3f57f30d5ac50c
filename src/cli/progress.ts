const EVERY_MS = 200

/** Shows on a terminal how many rows are done; elsewhere nothing, so that nothing of it is in a log. */
export function rowProgress(what: string): { show(rows: number): void; end(): void } {
  const { stderr } = process
  let last = 0
  if (!stderr.isTTY) return { show: () => undefined, end: () => undefined }
  return {
    show(rows) {
      const now = performance.now()
      if (now - last < EVERY_MS) return
      last = now
      stderr.write(`\r${what}: ${rows} rows`)
    },
    end: () => void stderr.write('\r\u001b[K'),
  }
}
