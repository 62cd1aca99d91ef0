/** Converts a file in UTF-16 to UTF-8, and leaves all others unchanged. Removes a byte order mark at the start. */
export class Transcoder {
  #head: number[] | undefined = []
  #decoder: TextDecoder | undefined

  push(bytes: Uint8Array): Uint8Array {
    let rest = bytes
    if (this.#head) {
      const missing = headLength - this.#head.length
      this.#head.push(...bytes.subarray(0, missing))
      rest = bytes.subarray(missing)
      if (this.#head.length < headLength) return empty
      return this.#begin(rest)
    }
    return this.#convert(rest)
  }

  end(): Uint8Array {
    const rest = this.#head ? this.#begin(empty) : empty
    if (!this.#decoder) return rest
    return joined(rest, new TextEncoder().encode(this.#decoder.decode()))
  }

  #begin(rest: Uint8Array): Uint8Array {
    const head = this.#head ?? []
    this.#head = undefined
    const [label, markLength] = encodingOf(head)
    if (label) this.#decoder = new TextDecoder(label)
    return this.#convert(joined(Uint8Array.from(head.slice(markLength)), rest))
  }

  #convert(bytes: Uint8Array): Uint8Array {
    return this.#decoder ? new TextEncoder().encode(this.#decoder.decode(bytes, { stream: true })) : bytes
  }
}

const headLength = 4
const empty = new Uint8Array()

/** Detects UTF-16 by its mark, or by the zero bytes of its first two characters, which are ASCII in every phone book. */
function encodingOf([a, b, c, d]: readonly number[]): [label: string | undefined, markLength: number] {
  if (a === 0xff && b === 0xfe) return ['utf-16le', 2]
  if (a === 0xfe && b === 0xff) return ['utf-16be', 2]
  if (a === 0xef && b === 0xbb && c === 0xbf) return [undefined, 3]
  if (a && b === 0 && c && d === 0) return ['utf-16le', 0]
  if (a === 0 && b && c === 0 && d) return ['utf-16be', 0]
  return [undefined, 0]
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
