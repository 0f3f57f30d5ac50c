import { statSync } from 'node:fs'
import type { KeyStore } from '../actions/add-sealing-key.ts'
import { addKey, type KeyFile, KeyFileError, readKeyFile, removeKeys } from '../crypto/key-file.ts'
import { Refusal } from './exit-code.ts'

/** The keys in the key file at `path`. */
export function keyIdsIn(path: string): ReturnType<KeyStore['keyIds']> {
  const { currentKeyId, keys } = read(path)
  return { current: currentKeyId, older: [...keys.keys()].filter((id) => id !== currentKeyId) }
}

/**
 * The key file at `path`, to be changed.
 *
 * A file that is replaced belongs to whoever replaces it: done by root, the server could read it no more. Hence
 * only the owner may.
 */
export function keyStore(path: string): KeyStore {
  const { uid } = statSync(path)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new Refusal(
      `${path} belongs to the user with the number ${uid}. Run this as that user, such as: sudo -u '#${uid}' watchword …`,
    )
  }
  return {
    keyIds: () => keyIdsIn(path),
    add: () => void addKey(read(path)),
    remove: (keyIds) => void removeKeys(read(path), keyIds),
  }
}

function read(path: string): KeyFile {
  const file = readKeyFile(path)
  if (file === undefined) throw new KeyFileError(`${path} is missing. Restore it from backup.`)
  return file
}
