import { parentPort, workerData } from 'node:worker_threads'
import { joinLeaseFolder } from '../../src/apache/leases/folder.ts'
import { newId } from '../../src/crypto/random.ts'
import type { UserId } from '../../src/domain/user.ts'

// Leases to one person after the other in a folder that others share, and tells of each hundred.
const folder = joinLeaseFolder(workerData.path, newId)
for (let number = 0; ; number++) {
  const userId = `u${number}` as UserId
  try {
    folder.prepare(userId, 'x').publish({ policy: 'p', userId, name: 'n' })
  } catch (error) {
    // Between two parts of an emptying there is no place for it.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  if (number % 100 === 99) parentPort?.postMessage(number)
}
