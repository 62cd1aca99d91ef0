/** Decodes quoted-printable without its soft line breaks, bytes to bytes. An `=` that begins no code is kept. */
export function decodeQuotedPrintable(binary: string): string {
  return binary.replace(/=([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
