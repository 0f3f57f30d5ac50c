import { resolve } from 'node:path'
import type { Settings } from './schema.ts'
import { isLoopback, printListen } from './values.ts'

/** A setting that does not go with another. */
export interface Contradiction {
  readonly key: string
  readonly problem: string
}

/** What no setting shows alone; `folder` is where relative paths start. */
export function findContradictions(settings: Settings, folder: string): Contradiction[] {
  const { listen, origin, database, workers, password, policies, throttle, trusted_proxies } = settings
  const found: Contradiction[] = []
  const refuse = (key: string, problem: string) => found.push({ key, problem })

  if (listen.kind === 'unix') {
    // sockaddr_un ends there on macOS (104 with the NUL); Linux has four more.
    if (Buffer.byteLength(resolve(folder, listen.path)) > 103) {
      refuse('listen', 'the path of the socket is longer than 103 bytes. Write a shorter one.')
    }
    if (origin === undefined) {
      refuse(
        'origin',
        'is missing, and a Unix socket has no address. Write it, such as "https://auth.example.com".',
      )
    }
  } else {
    const isLocal = isLoopback(listen.host)
    if (!isLocal && trusted_proxies.length === 0) {
      const problem = `"${printListen(listen)}" is not loopback, and no peer is trusted (SEC-PXY-1)`
      refuse(
        'listen',
        `${problem}. Write a loopback address or "unix:path", or list the proxies in trusted_proxies.`,
      )
    }
    if (origin === undefined && (!isLocal || listen.port === 0)) {
      refuse(
        'origin',
        `is missing, and does not follow from listen. Write it, such as "https://auth.example.com".`,
      )
    }
  }
  if (workers !== 'auto' && workers > 1 && database?.kind !== 'postgres') {
    const problem = `${workers} processes cannot share a file of SQLite, which has one writer`
    refuse(
      'workers',
      `${problem}. Write 1 or "auto", or set database to PostgreSQL ("watchword move" takes everything there).`,
    )
  }
  // SEC-PW-11: 19 MiB with 2 passes, or 46 MiB with 1.
  if (password.passes === 1 && password.memory_kib < 47_104) {
    refuse(
      'password.passes',
      '1 is too few for this memory_kib. Write 2 or more, or a memory_kib of 47104 or more.',
    )
  }
  if (password.minimum_length_alone < password.minimum_length) {
    const least = `a number from ${password.minimum_length} to 64`
    refuse('password.minimum_length_alone', `is less than password.minimum_length. Write ${least}.`)
  }
  for (const [name, { within, access }] of Object.entries(policies)) {
    if (within === undefined || !access.includes('app-password')) continue
    const problem = 'is a limit that an app password does not keep: it is proven once, when it is made'
    refuse(`policies.${name}.within`, `${problem}. Take it away, or "app-password" from access.`)
  }
  if (throttle.first_wait > throttle.longest_wait) {
    refuse(
      'throttle.first_wait',
      `is longer than throttle.longest_wait. Write ${throttle.longest_wait} or less.`,
    )
  }
  return found
}
