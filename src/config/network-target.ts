/** The other runs of a service, in the place of a host and a port. */
export const SELF_TARGET = 'service:self'

/** The parts of `host:port`. */
export function targetParts(target: string): { readonly host: string; readonly port: number } {
  const colon = target.lastIndexOf(':')
  return { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) }
}

/** `*.example.org:443` covers every name below example.org at that port, and narrower wildcards; not example.org itself. */
export function coversTarget(entry: string, target: string): boolean {
  if (entry === target) return true
  const [wide, narrow] = [targetParts(entry), targetParts(target)]
  return wide.port === narrow.port && wide.host.startsWith('*.') && narrow.host.endsWith(wide.host.slice(1))
}
