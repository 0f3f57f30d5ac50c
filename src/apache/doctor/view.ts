import type { ApacheFile } from '../protect.ts'
import type { Host } from './hosts.ts'
import type { Configuration } from './read.ts'

/** What Watchword's own settings say. */
export interface DoctorSettings {
  /** Where Apache asks: the balancer, or the authorizer itself. Absent where that is off. */
  readonly authorizer: { readonly host: string; readonly port: number } | undefined
  /** Of the pages of Watchword. */
  readonly origin: string
  readonly returnOrigins: readonly string[]
  /** Where Watchword itself listens, as `host:port` or a path. */
  readonly own: string
  /** What `watchword apache install` would write now, the file of this policy included if there is such a policy. */
  readonly generate: (prefix: string, policy?: string) => readonly ApacheFile[]
}

/** A socket of this machine that takes connections. */
export interface Listener {
  readonly address: string
  readonly port: number
}

/** What this machine is like. */
export interface Machine {
  readonly listeners: readonly Listener[]
  /** Addresses of this machine by which others reach it. */
  readonly addresses: readonly string[]
  /** Permission bits of a file; `undefined` where it is not there. */
  readonly modeOf: (path: string) => number | undefined
  /** Files that Apache says it reads; `undefined` where it was not asked. */
  readonly files: readonly string[] | undefined
}

/** All that rules look at. */
export interface View {
  readonly configuration: Configuration
  readonly hosts: readonly Host[]
  readonly settings: DoctorSettings
  readonly machine: Machine
}
