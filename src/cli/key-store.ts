import { statSync } from 'node:fs'
import type { KeyStore } from '../actions/add-sealing-key.ts'
import { addKey, type KeyFile, KeyFileError, readKeyFile, removeKeys } from '../crypto/key-file.ts'
import { Refusal } from './exit-code.ts'

/** The key file at `path`, to be changed. */
export function keyStore(path: string): KeyStore {
  const read = (): KeyFile => {
    const file = readKeyFile(path)
    if (file === undefined) throw new KeyFileError(`${path} is missing. Restore it from backup.`)
    return file
  }
  return {
    keyIds() {
      const { currentKeyId, keys } = read()
      return { current: currentKeyId, older: [...keys.keys()].filter((id) => id !== currentKeyId) }
    },
    add() {
      refuseForeign(path)
      addKey(read())
    },
    remove(keyIds) {
      refuseForeign(path)
      removeKeys(read(), keyIds)
    },
  }
}

/** A file that is replaced belongs to whoever replaces it: done by root, the server could read it no more. */
function refuseForeign(path: string): void {
  const { uid } = statSync(path)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new Refusal(
      `${path} belongs to the user with the number ${uid}. Run this as that user, such as: sudo -u '#${uid}' watchword …`,
    )
  }
}
