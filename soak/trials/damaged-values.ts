import { type Held, startHeldWorld } from '../support/held-values.ts'
import type { Random } from '../support/random.ts'
import type { Trial } from '../support/trial.ts'

const VALUES = 100

/** Cookies, tokens and sealed values that are damaged, or are good for something else, open nothing. */
export const damagedValues: Trial = {
  id: 'FT-FUZZ-4',
  name: 'damaged-values',
  holds:
    'No cookie, token, ticket, key or sealed value opens anything when a bit of it is changed, or elsewhere.',
  rounds: `batches of ${VALUES} values`,
  sizes: { ci: 220, soak: 11_000, release: 11_000 },
  needs: ['damaged values', 'values of something else', 'whole values that opened'],
  patience: 60,
  async begin() {
    const { world, held, others } = await startHeldWorld()
    const once = new Set(['ticket', 'mark of a browser that waits'])
    const opensStill = async () => {
      const closed: string[] = []
      for (const each of held) {
        if (!once.has(each.kind) && !(await each.opens(each.value))) closed.push(each.kind)
      }
      return closed
    }
    const isRightly = (door: Held, shown: string) =>
      held.some(
        (each) => each.isSame(shown) && (each === door || (door.isOfBearer && each.kind === door.kind)),
      )
    return {
      async round(number, random) {
        const violations: string[] = []
        const counts = { 'damaged values': 0, 'values of something else': 0, 'whole values that opened': 0 }
        for (let value = 0; value < VALUES; value++) {
          const door = random.pick(held)
          const isDamaged = random.below(4) > 0
          const shown = isDamaged ? damaged(door.value, random, others) : random.pick(others)
          // A header cannot carry others, and what is the same is no other.
          if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(shown) || isRightly(door, shown)) continue
          counts[isDamaged ? 'damaged values' : 'values of something else']++
          if (await door.opens(shown))
            violations.push(`a ${door.kind} is taken that is none: ${told(door, shown)}`)
        }
        if (number % 20 === 0) {
          const closed = await opensStill()
          for (const kind of closed) violations.push(`a whole ${kind} is no longer taken`)
          counts['whole values that opened'] += held.length - once.size * 2 - closed.length
        }
        return { counts, violations }
      },
      async end() {
        const errors = await world.services.db
          .selectFrom('audit_event')
          .select('id')
          .where('event', '=', 'invitation-used')
          .execute()
        await world.close()
        return errors.length === 0 ? undefined : { violations: ['an invitation was used up'] }
      },
    }
  },
}

/** What was done to it, without what it was. */
function told({ value }: Held, shown: string): string {
  const at = [...shown].findIndex((sign, index) => sign !== value[index])
  return `${shown.length} of ${value.length} characters, the first other one at ${at}`
}

function damaged(value: string, random: Random, others: readonly string[]): string {
  const at = random.below(value.length)
  const put = (text: string, instead = 1) => value.slice(0, at) + text + value.slice(at + instead)
  switch (random.below(14)) {
    case 0:
      return put(String.fromCharCode(value.charCodeAt(at) ^ (1 << random.below(8))))
    case 1: {
      const bytes = Buffer.from(value, 'base64url')
      const byte = random.below(Math.max(1, bytes.length))
      bytes[byte] = (bytes[byte] ?? 0) ^ (1 << random.below(8))
      return bytes.toString('base64url')
    }
    case 2:
      return value.slice(0, at)
    case 3:
      return value.slice(at + 1)
    case 4:
      return put('')
    case 5:
      return put(random.pick([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']))
    case 6:
      return put(random.pick(['=', ' ', '\t', '"', '%00', '\x80', '.', '+', '/', '%', ',']), random.below(2))
    case 7:
      return random.pick([value.toUpperCase(), value.toLowerCase(), [...value].reverse().join('')])
    case 8:
      return random.pick([
        `${value}=`,
        `"${value}"`,
        `${value}${value}`,
        `${value},${value}`,
        `${value}.`,
        '',
      ])
    case 9:
      return put(`%${value.charCodeAt(at).toString(16)}`)
    case 10:
      return value.slice(0, at) + random.pick(others).slice(at)
    case 11:
      return Buffer.from(value).toString(random.pick(['base64url', 'hex', 'base64']))
    case 12:
      return random.bytes(value.length).toString('base64url').slice(0, value.length)
    default:
      return put(value.charAt(at) + value.charAt((at + 1) % value.length), 2)
  }
}
