// The few globals beyond the language that shared code may use. Each is pure and stands in every browser and in Node;
// neither lib DOM nor Node's types are loaded here, so that anything that touches the world fails to compile.

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number }
}

declare const TextEncoder: new () => TextEncoder

interface TextDecoder {
  decode(input?: ArrayBufferView | ArrayBuffer): string
}

declare const TextDecoder: new (label?: 'utf-8', options?: { fatal?: boolean; ignoreBOM?: boolean }) => TextDecoder
