import { isIPv4 } from 'node:net'
import type { PortAccess } from '../../../protocols/service.ts'
import { joinWords } from '../../base/format.ts'
import { SELF_TARGET, targetParts } from '../../config/index.ts'

/** Linux: the default of net.ipv4.ip_unprivileged_port_start. */
const FIRST_UNPRIVILEGED_PORT = 1024
/** What a run's own ports are at. */
const OWN_HOSTS = ['localhost', '127.0.0.1']

type Asking = {
  readonly network: readonly string[]
  readonly run: {
    readonly ports: readonly {
      readonly name: string
      readonly port: number
      readonly access?: PortAccess | undefined
    }[]
  }
}

/** What the author should know of the network that a service asks for: sentences without their full stop. */
export function networkNotes({ network, run }: Asking): string[] {
  const hosts = network.filter((target) => target !== SELF_TARGET)
  const asked = hosts.map(targetParts)
  const forSiblings = run.ports.some(({ access }) => access === 'siblings')
  const own = new Map(run.ports.map(({ name, port }) => [port, name]))
  const isLoopback = (host: string) => isIPv4(host) && host.startsWith('127.')
  // the gateway listens in the place of a name, and of an address of loopback
  const listened = asked.filter(({ host }) => isLoopback(host) || !(isIPv4(host) || host.startsWith('*.')))
  const shared = listened.filter(({ port }) => own.has(port))
  const hidden = shared.filter(({ host }) => OWN_HOSTS.includes(host))
  const both = [...new Set(shared.flatMap((one) => (hidden.includes(one) ? [] : [one.port])))]
  const literal = asked.filter(({ host }) => isIPv4(host) && !isLoopback(host))
  const low = run.ports.filter(({ port }) => port < FIRST_UNPRIVILEGED_PORT).map(({ port }) => String(port))
  return [
    ...(low.length === 0
      ? []
      : [
          `below ${FIRST_UNPRIVILEGED_PORT} is port ${joinWords(low)}, and a run is not root: on some nodes it may not listen there (EACCES); a higher port serves as well, since nothing is published at its number`,
        ]),
    ...both.map(
      (port) =>
        `port ${port} is its own ("${own.get(port)}") and one that it asks for: it must listen on 127.0.0.1, because at other addresses the gateway listens there (EADDRINUSE)`,
    ),
    ...hidden.map(
      ({ host, port }) =>
        `${host}:${port} is its own port ("${own.get(port)}") inside of the run, so that of the machine is never reached: give its own another number`,
    ),
    ...(literal.length === 0
      ? []
      : [
          `${joinWords(literal.map(({ host, port }) => `${host}:${port}`))}: an address, which only programs reach that use the proxy of HTTP_PROXY; a name needs none`,
        ]),
    ...(hosts.length < network.length && !forSiblings
      ? ['it asks for service:self, and no port has access "siblings": its runs find each other, and reach nothing']
      : []),
  ]
}
