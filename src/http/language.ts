import { findOnly } from '../domain/cookie.ts'

/** Languages of the pages; the first is spoken to whoever understands none of them. */
export const languages = ['en', 'de'] as const

export type Language = (typeof languages)[number]

/** The cookie that remembers a choice; it is no secret and proves nothing. */
const COOKIE = 'watchword-language'

const isLanguage = (text: string): text is Language => (languages as readonly string[]).includes(text)

/** The language that was chosen, else the one the browser asks for first (RFC 9110 §12.5.4). */
export function chooseLanguage(cookieHeader: string | null, acceptLanguage: string | null): Language {
  const chosen = cookieHeader === null ? undefined : findOnly(cookieHeader, COOKIE)
  if (chosen !== undefined && isLanguage(chosen)) return chosen
  const asked = (acceptLanguage ?? '')
    .slice(0, 256)
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range.trim().toLowerCase().split(';')
      const quality = parameters.find((parameter) => parameter.trim().startsWith('q='))
      return { tag: tag.split('-')[0] ?? '', quality: Number(quality?.trim().slice(2) ?? 1) }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
  return asked.map(({ tag }) => tag).find(isLanguage) ?? languages[0]
}

/** Remembers a choice for a year. */
export function languageCookie(language: Language, secure: boolean): string {
  return `${COOKIE}=${language}; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}
