import { sqlite } from './engines.ts'
import { interleavingsOn } from './interleavings.ts'

interleavingsOn(sqlite)
