import { isIPv4 } from 'node:net'

/** Does the multiaddr begin with this machine's own loopback address? */
export function isLoopback(multiaddr: string): boolean {
  const host = hostOf(multiaddr)
  return host.startsWith('127.') || host === '::1' || host === 'localhost'
}

/** Does the multiaddr begin with an address that only a private network has? */
export function isPrivate(multiaddr: string): boolean {
  const host = hostOf(multiaddr)
  if (isLoopback(multiaddr)) return true
  if (!isIPv4(host)) return /^(fc|fd|fe8|fe9|fea|feb)/i.test(host)
  const [a = 0, b = 0] = host.split('.').map(Number)
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  )
}

function hostOf(multiaddr: string): string {
  return multiaddr.split('/')[2] ?? ''
}
