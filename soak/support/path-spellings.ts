/**
 * So many spellings of a path that somebody may read as that path, as another, or not at all: the known ones first, then
 * random mixtures.
 *
 * @param path begins with `/`; has two segments at least
 * @param open a path that anybody may read
 * @param host what absolute targets name
 */
export function pathSpellings(
  count: number,
  random: () => number,
  { path, open, host }: { readonly path: string; readonly open: string; readonly host: string },
): string[] {
  const found = new Set(knownSpellings(path, open, host))
  while (found.size < count) {
    let target = path
    for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes--) {
      const change = pick(changesOfPath, random)
      target = change(target, random, open)
    }
    if (target.length < 2000) found.add(target)
  }
  return [...found].slice(0, count)
}

const pick = <T>(list: readonly T[], random: () => number): T => {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new RangeError('an empty list')
  return item
}

/** Spellings by which paths were taken for others in other programs. */
function knownSpellings(path: string, open: string, host: string): string[] {
  const bare = path.slice(1)
  const [first = '', ...rest] = bare.split('/')
  const below = rest.join('/')
  const encoded = [...bare].map((sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return [
    path,
    ...[`/${path}`, `///${bare}`, `/.${path}`, `/./.${path}`, `/x/..${path}`, `/x/%2e%2e${path}`],
    ...[`${open}/..${path}`, `${open}/../..${path}`, `${open}/%2e%2e/%2e%2e${path}`, `${open}/..;${path}`],
    ...[`${open}%2f..${path}`, `${open}/..%2f${bare}`, `${open}/..%5c${bare}`, `${open}/..\\${bare}`],
    ...[`${open}/..%252f${bare}`, `${open}/%252e%252e${path}`, `${open}/.%2e${path}`, `${open}/%2E.${path}`],
    ...[`${open}?/..${path}`, `${open}#/..${path}`, `${open}%3f/..${path}`, `${open}%23/..${path}`],
    ...[`${open};${path}`, `${open};/..${path}`, `${open}%00${path}`, `${open}/%00/..${path}`],
    ...[`${open}/..%c0%af${bare}`, `${open}/%c0%ae%c0%ae${path}`, `${open}/..%e0%80%af${bare}`],
    ...[`${open}/..%ef%bc%8f${bare}`, `${open}/%ef%bc%8e%ef%bc%8e${path}`, `${open}/..%u002f${bare}`],
    ...[`/${first}//${below}`, `/${first}/./${below}`, `/${first}/x/../${below}`, `/${first}/../${bare}`],
    ...[`/${first}%2f${below}`, `/${first}%2F${below}`, `/${first}%5c${below}`, `/${first}\\${below}`],
    ...[`/${first};x=y/${below}`, `/${first};/${below}`, `/${first}%3b/${below}`, `/${first}/;/${below}`],
    ...[`/${first}%20/${below}`, `/${first}./${below}`, `/${first} /${below}`, `/${first}%00/${below}`],
    ...[`/${first}%09/${below}`, `/${first}%0a/${below}`, `/${first}%0d%0a/${below}`, `/${first}\t/${below}`],
    ...[`${path}/`, `${path}//`, `${path}/.`, `${path}/./`, `${path}/..`, `${path}/x/..`, `${path}.`],
    ...[`${path}%20`, `${path}%00`, `${path}%00.css`, `${path};.css`, `${path}?.css`, `${path}#.css`],
    ...[
      `${path}%2e`,
      `${path}%3f`,
      `${path}%23`,
      `${path}~`,
      `${path}.css`,
      `${path}::$DATA`,
      `${path}/x.css`,
    ],
    ...[`/${encoded.join('')}`, `/${encoded.join('').toUpperCase()}`, `/%25${bare}`, `/%${bare}`],
    ...[`/${encoded.map((sign) => sign.replace('%', '%25')).join('')}`, `%2f${bare}`, `/%2f${bare}`],
    ...[path.toUpperCase(), `/${first.toUpperCase()}/${below}`, `/${first}/${below.toUpperCase()}`],
    ...[bare, `\\${bare}`, `/\\${bare}`, `*${path}`, '*', '**', '', '/', '.', '..', '/..', '/../..'],
    ...[`https://${host}${path}`, `http://${host}${path}`, `HTTPS://${host.toUpperCase()}${path}`],
    ...[`https://${host}/${path}`, `https://${host}/x/..${path}`, `https://evil.example${path}`],
    ...[`https://user@${host}${path}`, `https://${host}:1${path}`, `https:${path}`, `https:///${bare}`],
    ...[`//${host}${path}`, `//evil.example${path}`, `ftp://${host}${path}`, `file://${path}`],
    ...[`https://${host}`, `https://${host}?${path}`, `https://${host}\\${bare}`, `${host}:443`],
    ...[`${path}?`, `${path}??`, `${path}?x=/../../..${open}`, `${path}?wwticket=x`, `${open}?${path}`],
    ...[`${path}\x7f`, `${path}\xff`, `/${first}/\xc0\xae\xc0\xae/${bare}`, `${path}%ff`, `/%c0%af${bare}`],
  ]
}

type Change = (target: string, random: () => number, open: string) => string

/** Changes one place of a target, which may be of any form by then. */
const changesOfPath: readonly Change[] = [
  atSlash(() => '//'),
  atSlash(() => '/./'),
  atSlash(() => '/x/../'),
  atSlash((random) => pick(['/.%2e/', '/%2e%2e/', '/%2E/', '/..;/', '/;/', '/;a=b/'], random)),
  atSlash((random) => pick(['%2f', '%2F', '%5c', '\\', '%252f', '%c0%af', '%e2%88%95'], random)),
  atSlash((random) => pick([';v=1/', '%20/', './', '%00/', '%0a/', '+/'], random)),
  (target, random) =>
    atSign(target, random, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`),
  (target, random) =>
    atSign(target, random, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`),
  (target, random) =>
    atSign(target, random, (sign) => `%25${sign.charCodeAt(0).toString(16).padStart(2, '0')}`),
  (target, random) => atSign(target, random, (sign) => sign.toUpperCase()),
  (target, random, open) =>
    `${open}${pick(['/..', '/%2e%2e', '/..;', '%2f..', '/x/../..'], random)}${target}`,
  (target, random) =>
    target +
    pick(['/', '.', ' ', '%20', '%00', '#', '?', '?/..', '/..', '/../', ';', '%3f', '~', '*'], random),
]

function atSlash(replacement: (random: () => number) => string): Change {
  return (target, random) => {
    const slashes = [...target.matchAll(/\//g)].map(({ index }) => index)
    if (slashes.length === 0) return `/${target}`
    const at = pick(slashes, random)
    return `${target.slice(0, at)}${replacement(random)}${target.slice(at + 1)}`
  }
}

function atSign(target: string, random: () => number, replacement: (sign: string) => string): string {
  if (target === '') return target
  const at = Math.floor(random() * target.length)
  return `${target.slice(0, at)}${replacement(target.charAt(at))}${target.slice(at + 1)}`
}
