/** Whether a text has the form of an identifier: 26 characters of 0-9 and a-v. */
export function isId(text: string): boolean {
  return /^[0-9a-v]{26}$/.test(text)
}
