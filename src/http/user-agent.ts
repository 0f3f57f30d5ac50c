/** Which program somebody used, as far as it says so itself. */
export type Program =
  | { readonly kind: 'browser'; readonly browser: string; readonly system: string | undefined }
  /** None that is known; the beginning of what it calls itself, perhaps nothing. */
  | { readonly kind: 'other'; readonly text: string }

/** Longest name of an unknown program that is shown, in code points. */
const OTHER_MAXIMUM = 60

/** The first that fits counts: most browsers also call themselves by the names of those below them. */
const browsers: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOpera\b/, 'Opera'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
]

const systems: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\biPad\b/, 'iPadOS'],
  [/\biPhone\b|\biPod\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
]

/**
 * Reads a `User-Agent` (RFC 9110 §10.1.5) for people who want to know their own browser again.
 *
 * Anybody can send any text, so nothing may depend on it.
 */
export function programOf(userAgent: string): Program {
  const browser = nameIn(userAgent, browsers)
  if (browser !== undefined) return { kind: 'browser', browser, system: nameIn(userAgent, systems) }
  const shown = [...userAgent.replaceAll(/\p{C}+/gu, ' ').trim()]
  const cut = shown.slice(0, OTHER_MAXIMUM).join('')
  return { kind: 'other', text: shown.length > OTHER_MAXIMUM ? `${cut}…` : cut }
}

const nameIn = (text: string, list: typeof browsers): string | undefined =>
  list.find(([mark]) => mark.test(text))?.[1]
