import type { Trial } from '../support/trial.ts'
import { authorizerStorm } from './authorizer-storm.ts'
import { badNetwork } from './bad-network.ts'
import { busyDay } from './busy-day.ts'
import { clockJumps } from './clock-jumps.ts'
import { clockModel } from './clock-model.ts'
import { codeGuessing } from './code-guessing.ts'
import { codeRace } from './code-race.ts'
import { codeTiming } from './code-timing.ts'
import { crashNode } from './crash-node.ts'
import { crashPostgres } from './crash-postgres.ts'
import { crashSqlite } from './crash-sqlite.ts'
import { damagedFile } from './damaged-file.ts'
import { damagedValues } from './damaged-values.ts'
import { databaseFaults } from './database-faults.ts'
import { deniedAnswers } from './denied-answers.ts'
import { diskFull } from './disk-full.ts'
import { forgedHeaders } from './forged-headers.ts'
import { guessRace } from './guess-race.ts'
import { heldFile } from './held-file.ts'
import { hostileBodies } from './hostile-bodies.ts'
import { ioFault } from './io-fault.ts'
import { killedCommands } from './killed-commands.ts'
import { markedSecrets } from './marked-secrets.ts'
import { oneTimeRace } from './one-time-race.ts'
import { pairRace } from './pair-race.ts'
import { passwordSpray } from './password-spray.ts'
import { spelledPaths } from './path-spellings.ts'
import { pause } from './pause.ts'
import { revocation } from './revocation.ts'
import { sameAnswers } from './same-answers.ts'
import { scarceResources } from './scarce-resources.ts'
import { sessionLoad } from './session-load.ts'
import { signInFlood } from './sign-in-flood.ts'
import { signInTiming } from './sign-in-timing.ts'
import { slowClients } from './slow-clients.ts'
import { smuggling } from './smuggling.ts'
import { spellings } from './spellings.ts'
import { syncOrder } from './sync-order.ts'

/** Every trial, in the order of the catalogue. */
export const trials: readonly Trial[] = [
  crashSqlite,
  crashPostgres,
  crashNode,
  killedCommands,
  syncOrder,
  ioFault,
  diskFull,
  damagedFile,
  codeRace,
  oneTimeRace,
  guessRace,
  pairRace,
  revocation,
  clockJumps,
  clockModel,
  passwordSpray,
  codeGuessing,
  signInTiming,
  codeTiming,
  sameAnswers,
  forgedHeaders,
  spelledPaths,
  smuggling,
  hostileBodies,
  damagedValues,
  spellings,
  sessionLoad,
  signInFlood,
  authorizerStorm,
  slowClients,
  scarceResources,
  databaseFaults,
  heldFile,
  pause,
  busyDay,
  badNetwork,
  markedSecrets,
  deniedAnswers,
]
