/** Longest name of a device and longest display name, in code points. */
export const DEVICE_NAME_MAXIMUM = 64
export const DISPLAY_NAME_MAXIMUM = 128

/**
 * A name that people see, in the one form in which it is kept: NFC, without outer spaces.
 *
 * @returns `undefined` for one that is empty, longer than `maximum` code points, or has control, format or
 *   direction characters, which would act on whatever it is shown in.
 */
export function label(typed: string, maximum: number): string | undefined {
  const name = typed.normalize('NFC').trim()
  const length = [...name].length
  return length >= 1 && length <= maximum && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name) ? name : undefined
}
