import { type Html, html, raw } from '../html.ts'
import type { View } from '../page.ts'
import type { Texts } from '../texts/index.ts'

/** The start of a form, with the key that shows it is ours. */
export function formStart({ formKey }: View, action: string, attributes = ''): Html {
  return html`<form method="post" action="${action}"${raw(attributes)}><input type="hidden" name="form_token" value="${formKey}">`
}

/** A sentence about the whole page: read out when it appears. */
export function notice(kind: 'bad' | 'good' | 'warn', text: Html | string | undefined): Html | string {
  if (text === undefined) return ''
  const role = kind === 'bad' ? 'alert' : 'status'
  return html`<div class="notice ${kind}" role="${role}"><p>${text}</p></div>`
}

export interface FieldProps {
  readonly name: string
  /** Where a page has several fields of one name; else the name itself. */
  readonly id?: string
  readonly label: string
  readonly value?: string | undefined
  readonly hint?: string | undefined
  /** What is wrong with it, shown beside it. */
  readonly error?: string | undefined
  readonly type?: 'text' | 'password' | 'search' | 'date' | 'number'
  readonly autocomplete?: string
  readonly required?: boolean
  readonly autofocus?: boolean
  readonly maximum?: number
  /** Further attributes, written by a programmer: never a value that somebody typed. */
  readonly attributes?: string
  readonly className?: string
}

/** A field with its label above, and its hint and its error beside it. */
export function field(props: FieldProps): Html {
  const { name, id = name, label, hint, error, type = 'text', required = true } = props
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  const attributes = [
    props.autocomplete && ` autocomplete="${props.autocomplete}"`,
    props.maximum && ` maxlength="${props.maximum}"`,
    props.className && ` class="${props.className}"`,
    described && ` aria-describedby="${described}"`,
    error && ' aria-invalid="true"',
    required && ' required',
    props.autofocus === true && ' autofocus',
    props.attributes && ` ${props.attributes}`,
  ]
  return html`<div class="field">
<label for="${id}">${label}</label>
<input id="${id}" name="${name}" type="${type}" value="${props.value ?? ''}"${raw(attributes.filter(Boolean).join(''))}>
${hint === undefined ? '' : html`<p class="hint" id="${id}-hint">${hint}</p>`}
${error === undefined ? '' : html`<p class="error" id="${id}-error">${error}</p>`}
</div>`
}

/** A field for a password, with a button that shows it where there is script. */
export function passwordField(t: Texts, props: Omit<FieldProps, 'type'>): Html {
  return html`${field({ ...props, type: 'password', maximum: 256, attributes: 'spellcheck="false" autocapitalize="none"' })}
<p class="only-script no-print"><button type="button" class="link" data-reveal="${props.name}" aria-pressed="false">${t.common.show}</button></p>`
}

/** A field for a code: digits on a phone's keyboard, filled in by the phone where it can. */
export function codeField(
  props: Pick<FieldProps, 'label' | 'hint' | 'error' | 'required' | 'autofocus'>,
): Html {
  return field({
    autofocus: true,
    ...props,
    name: 'otp',
    autocomplete: 'one-time-code',
    maximum: 64,
    className: 'code',
    attributes: 'inputmode="numeric" spellcheck="false"',
  })
}

/** An instant, in UTC and for programs; where there is script, by the reader's clock. */
export function instant(t: Texts, seconds: number | undefined): Html | string {
  if (seconds === undefined) return t.common.never
  const date = new Date(seconds * 1000)
  return html`<time datetime="${date.toISOString()}">${dateFormat(t.common.locale).format(date)} ${t.common.utc}</time>`
}

/** The time of day to the second, for comparing clocks. */
export function clockTime(t: Texts, seconds: number): Html {
  const date = new Date(seconds * 1000)
  const text = new Intl.DateTimeFormat(t.common.locale, { timeStyle: 'medium', timeZone: 'UTC' }).format(date)
  return html`<time datetime="${date.toISOString()}" data-clock="">${text} ${t.common.utc}</time>`
}

const dateFormats = new Map<string, Intl.DateTimeFormat>()

function dateFormat(locale: string): Intl.DateTimeFormat {
  const known = dateFormats.get(locale)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  dateFormats.set(locale, format)
  return format
}

/** A wait in words: whole minutes from two minutes on, rounded up. */
export function waitText(t: Texts, seconds: number): string {
  return seconds < 120 ? t.common.seconds(seconds) : t.common.minutes(Math.ceil(seconds / 60))
}
