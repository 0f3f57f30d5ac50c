import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

/** A file that pages refer to. */
export interface Asset {
  readonly path: string
  readonly contentType: string
  readonly body: Uint8Array<ArrayBuffer>
}

/** What all pages have in common: how they look and which files belong to them. */
export interface Appearance {
  readonly name: string
  /** The stylesheet, for the head of each page: no page waits for a second answer before it can be painted. */
  readonly style: string
  /** What a content security policy calls that very stylesheet (SEC-WEB-1). */
  readonly styleSource: string
  readonly script: Asset
  readonly logo: Asset | undefined
}

export interface BrandSettings {
  readonly name: string
  readonly accent: string
  readonly logo: string | undefined
}

/** Largest logo, in bytes; every page of a new visitor brings it along. */
const LOGO_MAXIMUM = 64 * 1024

const logoTypes: Readonly<Record<string, string>> = { '.svg': 'image/svg+xml', '.png': 'image/png' }

/** The logo cannot be used; the message says what to do. */
export class LogoError extends Error {
  override readonly name = 'LogoError'
}

/** Reads stylesheet, script and logo once. */
export function createAppearance({ name, accent, logo }: BrandSettings): Appearance {
  const style = shortened(readAsset('style.css')).replace('--accent:#2f5bd7', `--accent:${accent}`)
  return {
    name,
    style,
    styleSource: `'sha256-${hash('sha256', style, 'base64')}'`,
    script: asset('script', '.js', 'text/javascript; charset=utf-8', Buffer.from(readAsset('script.js'))),
    logo: logo === undefined ? undefined : readLogo(logo),
  }
}

const readAsset = (file: string) => readFileSync(join(import.meta.dirname, 'assets', file), 'utf8')

/** Without what only its readers need. */
function shortened(css: string): string {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};:,>]) ?/g, (_, sign: string) => sign)
    .replaceAll(';}', '}')
    .trim()
}

function readLogo(path: string): Asset {
  const contentType = logoTypes[extname(path).toLowerCase()]
  if (contentType === undefined) throw new LogoError(`${path}: brand.logo must be an .svg or .png file.`)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new LogoError(`${path}: brand.logo cannot be read.`, { cause })
  }
  if (bytes.length > LOGO_MAXIMUM) throw new LogoError(`${path}: brand.logo is larger than 64 KiB.`)
  return asset('logo', extname(path).toLowerCase(), contentType, bytes)
}

/** Its name changes with its content, so that browsers may keep it for ever. */
function asset(name: string, extension: string, contentType: string, bytes: Buffer): Asset {
  const body = new Uint8Array(bytes)
  const digest = hash('sha256', body, 'hex').slice(0, 12)
  return { path: `/static/${name}-${digest}${extension}`, contentType, body }
}
