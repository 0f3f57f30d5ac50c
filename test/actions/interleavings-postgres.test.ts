import { after } from 'node:test'
import { closeEngines, postgres } from './engines.ts'
import { interleavingsOn } from './interleavings.ts'

interleavingsOn(postgres)
after(closeEngines)
