/** The database did not do what it was asked: unreachable, full, locked too long, damaged. Nothing was stored. */
export class StorageFault extends Error {
  override readonly name = 'StorageFault'
}
