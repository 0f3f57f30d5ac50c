/** An instant: whole seconds since the Unix epoch, UTC. */
export type UnixSeconds = number

/** How far the clocks of two hosts on one database may be apart before what one wrote seems to come from the future. */
export const CLOCK_SKEW: Seconds = 10

/** A length of time in whole seconds. */
export type Seconds = number
