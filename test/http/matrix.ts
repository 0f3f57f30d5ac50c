import type { Route } from '../../src/http/endpoint.ts'

/** Everybody who may come to a route, by what they can show. */
export const roles = [
  'anonymous',
  'login under way',
  'user of a password alone',
  'user',
  'user of an old proof',
  'administrator',
  'administrator of an old proof',
  'administrator whose administration is locked',
] as const

export type Role = (typeof roles)[number]

/** What a caller gets before the route itself looks at the request. */
export type Passage =
  /** The route looks; what it then answers is its own matter. */
  'in' | 'not_signed_in' | 'admin_required' | 'fresh_authentication_required'

const signedIn: readonly Role[] = roles.filter((role) => role !== 'anonymous' && role !== 'login under way')

/** Who passes to a route of each kind of access (SEC-AZ-1): made from its declaration, and from nothing else. */
export function passage({ access, method }: Pick<Route, 'access' | 'method'>, role: Role): Passage {
  switch (access) {
    case 'anybody':
    case 'monitoring':
      return 'in'
    case 'login-or-session':
      return role === 'anonymous' ? 'not_signed_in' : 'in'
    case 'session':
      return signedIn.includes(role) ? 'in' : 'not_signed_in'
    case 'admin':
      return adminPassage(method, role)
  }
}

/** To look, administration has to be open; to change something, the proof has to be fresh. */
function adminPassage(method: Route['method'], role: Role): Passage {
  switch (role) {
    case 'anonymous':
    case 'login under way':
      return 'not_signed_in'
    case 'user of a password alone':
    case 'user':
    case 'user of an old proof':
      return 'admin_required'
    case 'administrator':
      return 'in'
    case 'administrator of an old proof':
      return method === 'GET' ? 'in' : 'fresh_authentication_required'
    case 'administrator whose administration is locked':
      return 'fresh_authentication_required'
  }
}

/** Fields that nobody may slip into a request (SEC-AZ-3). */
export const smuggled: Readonly<Record<string, unknown>> = {
  role: 'admin',
  id: '0'.repeat(26),
  user_id: '0'.repeat(26),
  is_superuser: true,
  has_second_factor: true,
  password_hash: 'x',
  disabled_at: null,
  epoch: 1,
  amr: ['pwd', 'otp'],
  __proto__x: true,
}
