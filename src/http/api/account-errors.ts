import * as schemas from './schemas.ts'

/** Where a change may be cut off while the storage keeps it. */
export const storageError = {
  503: {
    description: 'The storage is unavailable; nothing was changed, unless the code is `outcome_unknown`.',
    schema: schemas.errorBody,
  },
} as const

/** What every route for one's own account may answer beside its own. */
export const ownErrors = {
  401: { description: 'Nobody is signed in.', schema: schemas.errorBody },
  ...storageError,
} as const

/** Where a recent full proof is demanded (SEC-AUTH-10). */
export const freshError = {
  403: { description: 'A fresh proof is needed.', schema: schemas.errorBody },
} as const

/** Where the address names a thing of one's own. */
export const notFoundError = {
  404: { description: 'There is none of yours by this id.', schema: schemas.errorBody },
} as const
