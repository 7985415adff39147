import type { KadDHT } from '@libp2p/kad-dht'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { RecordValidator } from '../../base/statement-sync.ts'
import { NotProvidedError } from '../errors.ts'
import type { Dht } from '../types.ts'
import { createProviderRecords } from './provider-records.ts'
import type { Records } from './records.ts'
import { routingTableOf } from './routing-table.ts'
import { createValueRecords } from './value-records.ts'

export interface DhtComponents {
  clock: Clock
  log: Log
  dht: KadDHT
  peerId: string
  records: Pick<Records, 'check' | 'local'>
  validator: RecordValidator | undefined
  connected(): boolean
}

export function createDht(components: DhtComponents): Dht & AsyncDisposable {
  const { clock, log, dht, peerId, records, validator, connected } = components
  const tableFilled = routingTableOf(components).filled
  const providers = createProviderRecords({ clock, log, dht, peerId, connected, tableFilled })
  const values = createValueRecords({ clock, log, dht, records, validator, tableFilled })
  return {
    provide: providers.provide,
    cancel: providers.cancel,
    findProviders: providers.findProviders,
    putValue: values.putValue,
    findValues: values.findValues,
    async [Symbol.asyncDispose]() {
      await Promise.all([providers[Symbol.asyncDispose](), values[Symbol.asyncDispose]()])
    },
  }
}

/** For a network without a DHT: nothing is provided or stored, and nothing is found. */
export function noDht(): Dht & AsyncDisposable {
  return {
    provide: async () => 0,
    cancel: async () => {},
    async *findProviders() {},
    async putValue() {
      throw new NotProvidedError('this node has no DHT to put a record into')
    },
    // biome-ignore lint/correctness/useYield: there is nothing to yield
    async *findValues() {
      throw new UnavailableError('this node has no DHT to find a record in')
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
