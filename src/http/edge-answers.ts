import { errorBody } from './api/schemas.ts'
import type { Route } from './endpoint.ts'

type Answers = Route['answers']

/** Every status that a route may answer: its own, and those of the guards before it. */
export function answersOf(route: Pick<Route, 'method' | 'answers'>): Answers {
  const { method, answers } = route
  const changes = method === 'POST' || method === 'PATCH' || method === 'DELETE'
  const takesBody = method === 'POST' || method === 'PATCH'
  return { ...always, ...(changes && ofChanges), ...(takesBody && ofBodies), ...answers }
}

const always: Answers = {
  400: { description: 'A field is malformed, or a cookie came twice.', schema: errorBody },
  500: { description: 'A fault of the server; nothing was changed.', schema: errorBody },
  503: { description: 'The storage is unavailable; nothing was changed.', schema: errorBody },
}

const ofChanges: Answers = {
  403: { description: 'The request comes from the page of another site.', schema: errorBody },
}

const ofBodies: Answers = {
  413: { description: 'The body is too large.', schema: errorBody },
  415: { description: 'The body is neither JSON nor form-encoded.', schema: errorBody },
}
