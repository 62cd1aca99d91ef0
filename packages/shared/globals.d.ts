// The few globals beyond the language that shared code may use. Each is pure and stands in every browser and in Node;
// neither lib DOM nor Node's types are loaded here, so that anything that touches the world fails to compile.

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number }
}

declare const TextEncoder: new () => TextEncoder

interface TextDecoder {
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string
}

declare const TextDecoder: new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) => TextDecoder

/** The part of papaparse that shared code uses. Its own types load Node's. */
declare module 'papaparse' {
  const Papa: {
    parse(text: string, options: { delimiter: string }): { data: string[][]; errors: { message: string }[] }
  }
  export default Papa
}

/** Decodes base64 into a string with one character per byte. */
declare function atob(base64: string): string
