import type { EgressHost } from './types.ts'

/** The very host of this address, at its port. `privateAllowed`: wherever it leads. */
export function namedHost(url: string, { privateAllowed }: { readonly privateAllowed: boolean }): EgressHost {
  return { host: bareHost(new URL(url).hostname), subdomains: false, port: portOfUrl(url), privateAllowed }
}

export function portOfUrl(url: string): number {
  const { port, protocol } = new URL(url)
  return Number(port || (protocol === 'https:' ? 443 : 80))
}

/** An address of IPv6 has brackets in a URL alone. */
export function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
