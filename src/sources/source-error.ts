/** A source cannot be read, or is not what it was said to be; the message says what to do. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
}
