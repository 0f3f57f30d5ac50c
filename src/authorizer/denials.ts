import type { DenyStatus } from './answer.ts'

/** The same refusal for people and for programs. */
export interface Denial {
  /** Of the status (RFC 9110 §15). */
  readonly reason: string
  /** HTML, in ASCII: Apache calls it ISO 8859-1. */
  readonly page: string
  /** JSON, harmless where it is read as HTML. */
  readonly json: string
}

/**
 * Constant bodies. A body that begins with `/` or is a URL would make Apache serve another page or redirect:
 * these begin with `<` or `{`.
 */
export const denials: Readonly<Record<DenyStatus, Denial>> = {
  400: {
    reason: 'Bad Request',
    page: page('This request cannot be answered', 'The browser sent something that cannot be read.'),
    json: json('bad_request', 'This request cannot be read.'),
  },
  401: {
    reason: 'Unauthorized',
    page: page('Please sign in', 'This page is for those who are signed in.'),
    json: json('not_signed_in', 'Sign in first.'),
  },
  403: {
    reason: 'Forbidden',
    page: page('This page is not open to you', 'Your account does not have access to it.'),
    json: json('forbidden', 'This is not open to you.'),
  },
  503: {
    reason: 'Service Unavailable',
    page: page('Please try again in a moment', 'The sign-in of this server does not answer in time.'),
    json: json('unavailable', 'Try again in a moment.'),
  },
}

/** What goes with a redirect, for whoever does not follow it. */
export const redirectPage = page('Please sign in', 'You are being sent to the sign-in page.')

/** What is said where an answer cannot be written down safely. */
export const faultPage = page(
  'Something went wrong',
  'The sign-in of this server had a fault. Please try again.',
)

function page(title: string, sentence: string): string {
  return `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>${title}</title><h1>${title}</h1><p>${sentence}</p></html>\n`
}

function json(code: string, sentence: string): string {
  return `${JSON.stringify({ error: sentence, code })}\n`
}
