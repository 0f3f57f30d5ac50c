/** An instant: whole seconds since the Unix epoch, UTC. */
export type UnixSeconds = number

/** A length of time in whole seconds. */
export type Seconds = number
