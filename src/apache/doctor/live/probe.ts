import { type Finding, finding } from '../finding.ts'
import type { Applied, Host } from '../hosts.ts'
import { applicationsBehind } from '../rules/doors.ts'
import type { View } from '../view.ts'
import { askAuthorizer } from './ask-authorizer.ts'
import { askHttp, type Question, takesConnections } from './ask-http.ts'
import { spellingsOf } from './spellings.ts'

/** What was found by asking, and what was not asked or did not answer. */
export interface Probed {
  readonly findings: readonly Finding[]
  readonly silent: readonly string[]
}

/** Milliseconds after which no further place is begun with; each takes some forty requests. */
const TIME_MAXIMUM = 120_000

/**
 * Attacks the running server over this machine's own addresses, without a sign-in.
 *
 * Nothing is sent that changes anything: GET, HEAD, OPTIONS and TRACE, one place after the other.
 */
export async function probe(view: View): Promise<Probed> {
  const findings: Finding[] = []
  const silent = new Set<string>()
  const begun = performance.now()
  for (const { door, place } of questionsOf(view.hosts)) {
    const path = encodeURI(place.extent.prefix).replaceAll('?', '%3F').replaceAll('#', '%23')
    const isLate = performance.now() - begun > TIME_MAXIMUM
    const answer = isLate ? undefined : await askHttp({ ...door, method: 'GET', target: path })
    if (answer === undefined)
      silent.add(isLate ? `${door.name}:${door.port}${path}` : `${door.name}:${door.port}`)
    else findings.push(...(await askForPlace(door, path, place.section.at)))
  }
  return { findings: [...findings, ...(await askOthers(view))], silent: [...silent] }
}

/** Every place at every door. */
const questionsOf = (hosts: readonly Host[]) =>
  hosts.flatMap((host) =>
    doorsOf(host, hosts).flatMap((door) => host.places.filter(isAskable).map((place) => ({ door, place }))),
  )

interface Door extends Pick<Question, 'host' | 'port' | 'isEncrypted' | 'name'> {
  /** Of the host of the place itself, and not of another one of that name. */
  readonly isOwn: boolean
}

/** A path, or an expression that has one to begin with; what else an expression matches is not guessed. */
const isAskable = ({ by, extent: { prefix, pattern } }: Applied): boolean =>
  by === 'path' &&
  prefix.startsWith('/') &&
  (pattern === undefined || (prefix !== '/' && pattern.test(prefix)))

/** Where a host is reached on this machine: its own ports, and those of hosts of the same name. */
function doorsOf(host: Host, hosts: readonly Host[]): Door[] {
  const name = host.names
    .find((each) => !/[*?]/.test(each))
    ?.replace(/^https?:\/\//, '')
    .replace(/:\d+$/, '')
  if (name === undefined) return []
  const same = hosts.filter(
    (other) => other === host || other.names.some((each) => host.names.includes(each)),
  )
  return same.flatMap((each) =>
    each.addresses
      .filter(({ port }) => port > 0)
      .map((address) => ({
        host: isAddress(address.host) ? address.host : '127.0.0.1',
        port: address.port,
        isEncrypted: each.isEncrypted,
        name,
        isOwn: each === host,
      })),
  )
}

const isAddress = (host: string): boolean => /^[\d.]+$|:/.test(host) && !['0.0.0.0', '::'].includes(host)

const isServed = (status: number | undefined): boolean =>
  status !== undefined && status >= 200 && status < 300

async function askForPlace(door: Door, path: string, at: Finding['at']): Promise<Finding[]> {
  const where = `${door.isEncrypted ? 'https' : 'http'}://${door.name}:${door.port}`
  const found: Finding[] = []
  // Where anything at all is answered outside of places, such an answer tells nothing.
  const nothing = await askHttp({ ...door, method: 'GET', target: '/ww-doctor-asks-for-nothing' })
  if (!door.isOwn && isServed(nothing)) return []
  // A folder is sent to its address with a slash, and a file has none.
  for (const target of path.endsWith('/') ? [path] : [path, `${path}/`]) {
    for (const [method, headers] of door.isOwn ? attempts : attempts.slice(0, 1)) {
      const status = await askHttp({ ...door, method, target, headers })
      // What is not there is looked for only when everybody may: a place refuses first.
      if (!isServed(status) && !(door.isOwn && method === 'GET' && status === 404)) continue
      const question = `${[`${method} ${where}${target}`, ...headers].join(', ')}, by somebody who is not signed in,`
      found.push(
        method === 'TRACE'
          ? finding(
              'trace-answered',
              at,
              `${question} was answered with ${status}.`,
              'Write: TraceEnable off',
            )
          : finding(
              'open-place',
              at,
              `${question} was answered with ${status}.`,
              'Look at the other findings for this place: the Include alone should decide there.',
            ),
      )
    }
  }
  return found.length > 0 || isServed(nothing) ? found : await askForSpellings(door, { path, where, at })
}

interface PlaceAsked {
  readonly path: string
  readonly where: string
  readonly at: Finding['at']
}

async function askForSpellings(door: Door, { path, where, at }: PlaceAsked): Promise<Finding[]> {
  const found: Finding[] = []
  for (const target of spellingsOf(path)) {
    const status = await askHttp({ ...door, method: 'GET', target })
    if (!isServed(status)) continue
    found.push(
      finding(
        'open-spelling',
        at,
        `${where}${target}, another spelling of ${path}, was answered with ${status} to somebody who is not signed in.`,
        'Protect all that the application serves, or let the application refuse such addresses.',
      ),
    )
  }
  return found
}

const attempts: readonly (readonly [method: string, headers: readonly string[]])[] = [
  ['GET', []],
  ['HEAD', []],
  ['OPTIONS', []],
  ['TRACE', []],
  ['GET', ['X-Remote-User: admin', 'X_Remote_User: admin', 'Remote-User: admin', 'REMOTE_USER: admin']],
  ['GET', ['X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'X-Original-URL: /', 'X-Rewrite-URL: /']],
  ['GET', ['Authorization: Basic YWRtaW46YWRtaW4=']],
]

/** The authorizer, and applications behind places, as others reach them. */
async function askOthers({ hosts, settings, machine }: View): Promise<Finding[]> {
  const { authorizer } = settings
  if (authorizer === undefined || !hosts.some(({ places }) => places.length > 0)) return []
  const found: Finding[] = []
  const at = `${authorizer.host}:${authorizer.port}`
  const reply = await askAuthorizer(authorizer)
  if (reply === 'admits') {
    found.push(
      finding(
        'authorizer-open',
        undefined,
        `What answers at ${at} admits whoever asks, without the secret.`,
        'Stop that program, and start Watchword.',
      ),
    )
  } else if (reply === 'silent') {
    found.push(
      finding(
        'authorizer-silent',
        undefined,
        `Nobody answers as an authorizer at ${at}: protected places answer 500.`,
        'Start Watchword, with authorizer.listen as it is here, and the program at authorizer.balancer if there is one.',
      ),
    )
  }
  for (const address of machine.addresses.filter(isUsable).slice(0, 4)) {
    if (await takesConnections(address, authorizer.port)) {
      found.push(
        finding(
          'authorizer-exposed',
          undefined,
          `${address}:${authorizer.port}, the port of the authorizer, takes connections.`,
          'Set authorizer.listen to 127.0.0.1, and let no other program take or forward that port.',
        ),
      )
    }
    for (const { at: spot, port } of applicationsBehind(hosts, machine)) {
      if (!(await takesConnections(address, port))) continue
      found.push(
        finding(
          'application-exposed',
          spot,
          `The application takes connections on ${address}:${port}: others reach it without Apache and say who they are.`,
          `Let it listen on 127.0.0.1:${port} only, or on a Unix socket.`,
        ),
      )
    }
  }
  return found
}

/** An address of the link alone needs the name of the link. */
const isUsable = (address: string): boolean => !address.startsWith('fe80:')
