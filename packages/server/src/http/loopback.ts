import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** Addresses of this machine that no other can reach (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3). */
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isLoopbackAddress(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/, '') ?? ''
  const family = isIP(plain)
  return family !== 0 && loopback.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Returns whether a host's name, in a URL or on the command line, can only mean this machine.
 *
 * @param host - The name or address.
 * @returns Whether it can.
 */
export function namesLoopback(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host.replace(/^\[(.*)\]$/, '$1'))
}

/** Headers that proxies add, each in its own way. */
const ofProxies = /^(forwarded|via|x-forwarded-.*|x-real-ip|.*-connecting-ip)$/

/**
 * Returns whether a request comes from a program on this machine: from a loopback address, to a loopback name (not to another
 * name that resolves to this machine), and without headers of a proxy. A proxy that adds no header cannot be distinguished from
 * this machine.
 *
 * @param request - The request, as Node gives it.
 * @returns Whether it does.
 */
export function isFromThisMachine(request: IncomingMessage): boolean {
  const { headers, socket } = request
  return (
    isLoopbackAddress(socket.remoteAddress) &&
    namesLoopback(hostName(headers.host)) &&
    !Object.keys(headers).some(name => ofProxies.test(name))
  )
}

/** Returns the name without the port. */
function hostName(host: string | undefined): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : ''
}
