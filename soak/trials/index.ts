import type { Trial } from '../support/trial.ts'

/** Every trial, in the order of the catalogue. */
export const trials: readonly Trial[] = []
