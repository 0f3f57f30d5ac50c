/**
 * A reporter of node:test that writes nothing but how many tests passed and failed, as JSON.
 *
 * @param {AsyncIterable<{ type: string, data: any }>} events
 */
export async function* countReporter(events) {
  for await (const { type, data } of events) {
    // A summary that names a file is of that file alone; the one without is of the whole run.
    if (type !== 'test:summary' || data.file !== undefined) continue
    const { passed, failed, cancelled } = data.counts
    yield JSON.stringify({ passed, failed: failed + cancelled })
  }
}

// biome-ignore lint/style/noDefaultExport: node --test takes the default export of a reporter.
export default countReporter
