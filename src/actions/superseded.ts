/** Thrown inside a transaction to undo it: the account changed since it was read. */
export class Superseded extends Error {
  override readonly name = 'Superseded'
}

/** What an action answers when its transaction was undone for that reason; any other fault goes on. */
export function supersededOnly(error: unknown): { readonly kind: 'superseded' } {
  if (error instanceof Superseded) return { kind: 'superseded' }
  throw error
}
