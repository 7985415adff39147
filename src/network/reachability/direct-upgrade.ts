import { type DCUtRServiceComponents, dcutr } from '@libp2p/dcutr'
import type { Clock } from '../../base/clock.ts'
import { UnavailableError } from '../../base/errors.ts'
import { createTokenBucket } from '../../base/token-bucket.ts'
import { StreamBrokenError } from '../errors.ts'
import { overriding } from '../host/overriding.ts'
import { isCircuit } from './circuit-address.ts'
import { MAX_UPGRADE_ADDRESSES, UPGRADES } from './constants.ts'

/**
 * Where one side can be dialled, the library replaces a relayed connection by a direct one. The other side names the
 * addresses that this node dials for it: here they are few and seldom, and nobody names any who was not dialled through a relay.
 */
export function directUpgrade(clock: Pick<Clock, 'monotonic'>) {
  const make = dcutr()
  const upgrades = createTokenBucket(UPGRADES, () => clock.monotonic())
  return (components: DCUtRServiceComponents) => {
    const { registrar, connectionManager } = components
    const handle: typeof registrar.handle = (protocol, handler, options) =>
      registrar.handle(
        protocol,
        (stream, connection) => {
          if (isCircuit(connection.remoteAddr) && connection.direction === 'outbound') {
            return handler(stream, connection)
          }
          stream.abort(new StreamBrokenError('only the side that was dialled through a relay may ask for an upgrade'))
        },
        options,
      )
    const openConnection: typeof connectionManager.openConnection = async (peer, options) => {
      if (!upgrades.take()) throw new UnavailableError('this node tries no more direct connections now')
      return await connectionManager.openConnection(
        Array.isArray(peer) ? peer.slice(0, MAX_UPGRADE_ADDRESSES) : peer,
        options,
      )
    }
    return make(
      overriding(components, {
        registrar: overriding(registrar, { handle }),
        connectionManager: overriding(connectionManager, { openConnection }),
      }),
    )
  }
}
