import { mistakesInHosts } from './mistakes-hosts.ts'
import { type Mistake, mistakesInPlaces } from './mistakes-places.ts'

/** All of FT-OPER-1. */
export const mistakes: readonly Mistake[] = [...mistakesInPlaces, ...mistakesInHosts]
