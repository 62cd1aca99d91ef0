/** A generator of pseudorandom numbers below `limit`, from a seed (mulberry32). */
export function randomFrom(seed: number): (limit: number) => number {
  let state = seed | 0
  return limit => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** Texts that break readers of phone books. */
const pieces = [
  '\r',
  '\n',
  '\r\r\n',
  '=',
  '=\r\n',
  '"',
  ';',
  ':',
  ',',
  '\\',
  ' ',
  '\t',
  '\0',
  '\xff',
  '\xc3',
  '\x81',
  ':::',
]
  .concat([
    'BEGIN:VCARD\r\n',
    'END:VCARD\r\n',
    '\r\nBEGIN:VCARD',
    'AGENT:',
    'AGENT:BEGIN:VCARD\\n',
    '\r\nFN',
    'TEL;',
    '""',
  ])
  .concat([';ENCODING=QUOTED-PRINTABLE', ';CHARSET=SHIFT_JIS', ';CHARSET=x', ';ENCODING=B', '\xff\xfe', '\xef\xbb\xbf'])
  .map(text => Buffer.from(text, 'latin1'))

/** Returns the bytes with up to ten mistakes: parts are cut out, doubled, moved or overwritten, and `pieces` are inserted. */
export function mutated(
  bytes: Uint8Array,
  random: (limit: number) => number,
  others: readonly Uint8Array[],
): Uint8Array {
  let result = Buffer.from(bytes)
  for (let left = 1 + random(10); left > 0; left--) {
    const at = random(result.length + 1)
    const length = random(random(4) === 0 ? result.length + 1 : 20)
    const [head, part, tail] = [result.subarray(0, at), result.subarray(at, at + length), result.subarray(at + length)]
    const piece = pieces[random(pieces.length)] as Buffer
    const other = Buffer.from(others[random(others.length)] as Uint8Array)
    const ways = [
      () => [head, tail],
      () => [head, part, part, tail],
      () => [head, piece, part, tail],
      () => [head, piece, tail],
      () => [head, Buffer.concat(Array(1 + random(50)).fill(piece)), part, tail],
      () => [head, Buffer.from([random(256)]), tail],
      () => [head, other.subarray(random(other.length + 1)).subarray(0, 500), part, tail],
      () => [head],
    ]
    result = Buffer.concat(ways[random(ways.length)]?.() ?? [head])
  }
  return new Uint8Array(result)
}
