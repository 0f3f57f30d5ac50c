/** Other spellings of a path, which Apache or an application may take for the path itself. */
export function spellingsOf(path: string): string[] {
  const inner = path.replace(/^\/+|\/+$/g, '')
  if (inner === '') return ['//', '/./', '/%2e/', '/%2f', '/;x', '/x/..', '/x/%2e%2e/', '/.', '/\\']
  const [first = '', rest = ''] = [inner.slice(0, 1), inner.slice(1)]
  // A sign that is written in its percent form already stays so.
  const coded = first === '%' ? first : `%${first.charCodeAt(0).toString(16)}`
  return [
    ...[
      `//${inner}`,
      `//${inner}/`,
      `///${inner}/`,
      `/./${inner}`,
      `/x/../${inner}`,
      `/%2e/${inner}`,
      `/x/%2e%2e/${inner}`,
    ],
    ...[
      `/${coded}${rest}`,
      `/%2f${inner}`,
      `/\\${inner}`,
      `/${inner.toUpperCase()}`,
      `/${first.toUpperCase()}${rest}`,
    ],
    ...[
      `/${inner}.`,
      `/${inner}/.`,
      `/${inner}//`,
      `/${inner};x`,
      `/${inner}%3bx`,
      `/${inner}%20`,
      `/${inner}%00`,
      `/${inner}%2f`,
    ],
    ...[`/${inner.replace('/', '//')}`, `/${inner.replace('/', '//')}/`, `/${inner.replace('/', '/./')}`],
    ...[`/${inner}?x`, `/${inner}/%2e`, `/;x/${inner}`],
  ].filter((each) => each !== path && each !== `${path}/`)
}
