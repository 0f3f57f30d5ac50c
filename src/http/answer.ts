/** What a route answers, before it becomes a response. */
export interface Answer {
  readonly status: number
  /** JSON, or text or a stream with its own type; nothing for an empty body. */
  readonly body?: unknown
  readonly contentType?: string
  /** Values of `Set-Cookie`, each in full. */
  readonly cookies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** An error as every route gives it: a sentence for people, a stable code for programs. */
export interface ApiError {
  readonly error: string
  readonly code: string
}

export function ok(body: unknown, cookies: readonly string[] = []): Answer {
  return { status: 200, body, cookies }
}

export function failure(
  status: number,
  code: string,
  error: string,
  extra: Omit<Answer, 'status' | 'body'> = {},
): Answer {
  return { ...extra, status, body: { error, code } satisfies ApiError }
}

/** Come again after `wait` seconds (RFC 9110 §10.2.3). */
export function throttled(wait: number): Answer {
  const unit = wait === 1 ? 'second' : 'seconds'
  return {
    status: 429,
    body: { error: `Too many attempts. Try again in ${wait} ${unit}.`, code: 'throttled', retry_after: wait },
    headers: { 'retry-after': String(wait) },
  }
}

export function busy(): Answer {
  return failure(503, 'busy', 'Too many people are signing in at this moment. Try again in a second.', {
    headers: { 'retry-after': '1' },
  })
}

export const invalidCredentials = (): Answer =>
  failure(401, 'invalid_credentials', 'Invalid username or password')

export const notSignedIn = (): Answer =>
  failure(
    401,
    'not_signed_in',
    'Nobody is signed in. Begin with POST /auth/login/ or POST /auth/authenticate/.',
  )

export const stale = (): Answer =>
  failure(
    403,
    'fresh_authentication_required',
    'This needs a fresh proof of who you are. Send username, password and code to POST /auth/authenticate/ again.',
  )

export const notFound = (): Answer => failure(404, 'not_found', 'There is nothing here.')

export const superseded = (): Answer =>
  failure(409, 'superseded', 'Your account was changed at the same moment. Look, and try again.')
