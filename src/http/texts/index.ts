import type { Language } from '../language.ts'
import { de } from './de/index.ts'
import { en } from './en/index.ts'

/** Every text of the pages; the compiler holds each language to the whole of it. */
export type Texts = typeof en

export const texts: Readonly<Record<Language, Texts>> = { en, de }
