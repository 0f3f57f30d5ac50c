import type { Command } from 'commander'
import { label } from '../domain/label.ts'
import { UsageError } from './exit-code.ts'

/** Reads the whole number of an option, `least` and `most` included. */
export function wholeNumber(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new UsageError(`${option} is "${text}". Write a whole number from ${least} to ${most}.`)
  }
}

/** Reads a name that is shown to people: not empty, at most `longest` characters, none of them invisible. */
export function shownName(option: string, longest: number): (text: string) => string {
  return (text) => {
    const name = label(text, longest)
    if (name !== undefined) return name
    throw new UsageError(`${option} is "${text}". Write 1 to ${longest} characters, none of them invisible.`)
  }
}

/** Reads one of a few words. */
export function oneOf<const V extends string>(option: string, words: readonly V[]): (text: string) => V {
  return (text) => {
    const word = words.find((candidate) => candidate === text)
    if (word !== undefined) return word
    throw new UsageError(`${option} is "${text}". Write one of: ${words.join(', ')}.`)
  }
}

/** Collects an option that may be given several times. */
export function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** Adds an option that nobody should use, so that whoever tries is told what to do instead. */
export function addForbidden(command: Command, flag: string): void {
  command.addOption(command.createOption(`${flag} [value]`).hideHelp())
}
