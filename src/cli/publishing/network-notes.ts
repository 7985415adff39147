import { isIPv4 } from 'node:net'
import { joinWords } from '../../base/format.ts'
import { targetParts } from '../../config/index.ts'

type Asking = {
  readonly network: readonly string[]
  readonly run: { readonly ports: readonly { readonly name: string; readonly port: number }[] }
}

/** What the author should know of the network that a service asks for: sentences without their full stop. */
export function networkNotes({ network, run }: Asking): string[] {
  const asked = network.map(targetParts)
  const own = new Map(run.ports.map(({ name, port }) => [port, name]))
  const both = [...new Set(asked.flatMap(({ port }) => (own.has(port) ? [port] : [])))]
  const literal = network.filter((target) => isIPv4(targetParts(target).host))
  return [
    ...both.map(
      (port) =>
        `port ${port} is its own ("${own.get(port)}") and one that it asks for: it must listen on 127.0.0.1, because at other addresses the gateway listens there (EADDRINUSE)`,
    ),
    ...(literal.length === 0
      ? []
      : [
          `${joinWords(literal)}: an address, which only programs reach that use the proxy of HTTP_PROXY; a name needs none`,
        ]),
  ]
}
