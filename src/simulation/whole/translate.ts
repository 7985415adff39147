import { dispositionOf } from '../../admission/disposition.ts'
import type { NodeEvents } from '../../node/index.ts'
import { decidingRule } from '../deciding-rule.ts'
import type { SimEvent } from '../events.ts'

/** What happened in a whole node, in the words of all engines. */
export interface Translator {
  /** Undefined where the event says nothing that scenarios know of. */
  translate<Name extends keyof NodeEvents>(
    at: { readonly ms: number; readonly node: number },
    event: Name,
    detail: NodeEvents[Name],
  ): SimEvent | undefined
}

const SERVICE_NAME = /^service-(\d+)$/

/** The services of a scenario are told apart by their names. */
export function nameOfService(service: number): string {
  return `service-${service}`
}

/** `nodeOf`: whose peer id it is; -1 = nobody's. */
export function createTranslator(nodeOf: (peer: string) => number): Translator {
  const services = new Map<string, number>()
  const hopsOf = new Map<string, number>()
  const bestOf = new Map<string, number>()

  function serviceOf(id: string, name?: string): number | undefined {
    const number = name === undefined ? undefined : SERVICE_NAME.exec(name)?.[1]
    if (number !== undefined && !services.has(id)) services.set(id, Number(number))
    return services.get(id)
  }

  function received(at: { ms: number; node: number }, detail: NodeEvents['intake:received']): SimEvent | undefined {
    const service = serviceOf(detail.id, detail.name)
    if (detail.kind !== 'service' || service === undefined) return undefined
    const from = detail.from === undefined ? at.node : nodeOf(detail.from)
    const hops = from === at.node ? 0 : (hopsOf.get(`${service} ${from}`) ?? 0) + 1
    hopsOf.set(`${service} ${at.node}`, hops)
    bestOf.set(`${service} ${at.node}`, detail.depth)
    return { ...at, event: 'delivered', service, depth: detail.depth, from, hops }
  }

  return {
    translate(at, event, detail) {
      // the compiler does not see that the name and the detail belong together
      const of = <Name extends keyof NodeEvents>(name: Name) =>
        (event as string) === name ? (detail as unknown as NodeEvents[Name]) : undefined
      const arrived = of('intake:received')
      if (arrived !== undefined) return received(at, arrived)
      const better = of('intake:better')
      if (better !== undefined) bestOf.set(`${serviceOf(better.id)} ${at.node}`, better.depth)
      const decided = of('node:verdict')
      if (decided !== undefined) {
        const service = serviceOf(decided.id, decided.name)
        if (service === undefined) return undefined
        const { verdict } = decided
        const depth = bestOf.get(`${service} ${at.node}`) ?? 0
        const rule = decidingRule(verdict)
        return {
          ...at,
          event: 'verdict',
          service,
          verdict: dispositionOf(verdict),
          redirect: verdict.redirect,
          rule,
          depth,
        }
      }
      const emitted = of('intake:emitted')
      if (emitted !== undefined) {
        const service = serviceOf(emitted.id)
        return service === undefined ? undefined : { ...at, event: 'emitted', service, depth: emitted.depth }
      }
      return undefined
    },
  }
}
