import { createHash } from 'node:crypto'

/** Chance that a seed repeats; never for what has to be unguessable. */
export interface Random {
  /** A whole number from 0 up to, but not including, the bound. */
  below(bound: number): number
  /** One of the list. */
  pick<T>(list: readonly T[]): T
  /** The list in another order. */
  shuffled<T>(list: readonly T[]): T[]
  bytes(length: number): Buffer
}

/** The chance of one round: the same words give the same draws on every machine. */
export function seededRandom(...words: readonly (string | number)[]): Random {
  const seed = createHash('sha256').update(words.join('\n')).digest()
  let block = 0
  let drawn = Buffer.alloc(0)
  const bytes = (length: number): Buffer => {
    while (drawn.length < length) {
      const counter = Buffer.alloc(4)
      counter.writeUInt32BE(block++)
      drawn = Buffer.concat([drawn, createHash('sha256').update(seed).update(counter).digest()])
    }
    const taken = drawn.subarray(0, length)
    drawn = drawn.subarray(length)
    return Buffer.from(taken)
  }
  const below = (bound: number): number => {
    if (!Number.isSafeInteger(bound) || bound < 1 || bound > 2 ** 40) throw new RangeError(`below(${bound})`)
    // 48 bits over at most 40: what the remainder favours is less than a 256th of one draw in a bound.
    return bytes(6).readUIntBE(0, 6) % bound
  }
  return {
    bytes,
    below,
    pick: (list) => {
      if (list.length === 0) throw new RangeError('There is nothing to pick from.')
      return list[below(list.length)] as (typeof list)[number]
    },
    shuffled: (list) => {
      const left = [...list]
      for (let last = left.length - 1; last > 0; last--) {
        const other = below(last + 1)
        const kept = left[last] as (typeof left)[number]
        left[last] = left[other] as (typeof left)[number]
        left[other] = kept
      }
      return left
    },
  }
}
