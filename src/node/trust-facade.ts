import { addressBytes, formatAddress, parseAddress } from '../../protocols/address.ts'
import { parseCid } from '../../protocols/encoding.ts'
import { statementId } from '../../protocols/statement.ts'
import { decodeInput } from '../base/decode-input.ts'
import type { Network } from '../network/index.ts'
import type { Trust } from '../trust/index.ts'
import type { StatementFilter, ThundercloudNode } from './types.ts'

export interface TrustFacadeComponents {
  trust: Pick<Trust, 'take' | 'publish' | 'statements' | 'lookUp' | 'tree'>
  network: Pick<Network, 'statements'>
}

type TrustFacade = Pick<ThundercloudNode, 'submitStatement' | 'statements' | 'lookUpStatements' | 'trustTree'>

/** The part of the facade that concerns statements and the trust tree. */
export function createTrustFacade({ trust, network }: TrustFacadeComponents): TrustFacade {
  return {
    async submitStatement(encoded, { asPublisher = false, signal } = {}) {
      const id = statementId(encoded).toString()
      if (asPublisher) return { outcome: 'new', id: (await trust.publish(encoded, { signal })).id }
      const outcome = decodeInput(() => trust.take(encoded, { via: 'api' }))
      if (outcome === 'new') await network.statements.publish(encoded, { signal })
      return { outcome, id }
    },
    statements: (filter = {}) => trust.statements(canonical(filter)),
    async lookUpStatements(filter, { signal } = {}) {
      const { code, address } = canonical(filter)
      await trust.lookUp(
        {
          code: code === undefined ? undefined : parseCid(code),
          author: address === undefined ? undefined : addressBytes(parseAddress(address)),
        },
        { signal, fresh: true },
      )
      return trust.statements({ code, address })
    },
    trustTree: (address) => trust.tree(address === undefined ? undefined : addressIn(address, 'address')),
  }
}

/** In canonical spelling. Throws an InputError if a value is not a content id or address. */
function canonical({ code, address, signer }: StatementFilter): StatementFilter {
  return {
    code: code === undefined ? undefined : decodeInput(() => parseCid(code).toString()),
    address: address === undefined ? undefined : addressIn(address, 'address'),
    signer: signer === undefined ? undefined : addressIn(signer, 'signer'),
  }
}

function addressIn(text: string, field: string): string {
  return decodeInput(() => formatAddress(parseAddress(text, field)))
}
