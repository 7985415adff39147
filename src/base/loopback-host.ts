/** Is the host of an address this machine, whatever the resolver answers? (For multiaddrs, @libp2p/utils has `isLoopback`.) */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
