import { type Fields, sameValue } from '@kith/shared'

/** Whether both hold the same names with the same values. */
export function sameFields(a: Fields, b: Fields): boolean {
  const names = Object.keys(a)
  const isSame = (name: string): boolean => Object.hasOwn(b, name) && sameValue(a[name], b[name])
  return names.length === Object.keys(b).length && names.every(isSame)
}
