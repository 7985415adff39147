import { type AccessRight, checkAccess } from '../../../protocols/access.ts'
import { decodeAddress } from '../../../protocols/address.ts'
import { parseCid } from '../../../protocols/encoding.ts'
import { verifyReceipt } from '../../../protocols/receipt.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import type { Op } from '../kit/kit.ts'
import { dagJson, unhex } from '../kit/kit.ts'

export const accessOps: Record<string, Op> = {
  'receipt.open': ({ bytes, network }) => {
    return { value: dagJson(verifyReceipt(unhex(bytes), String(network), createKeyCache()).body) }
  },
  'access.check': ({ network, service, author, peer, right, token, now }) => {
    checkAccess(
      {
        service: parseCid(String(service)),
        author: decodeAddress(unhex(author)),
        peer: decodeAddress(unhex(peer)),
        right: right as AccessRight,
        token: token === undefined ? undefined : unhex(token),
      },
      { network: String(network), keys: createKeyCache(), nowSeconds: Number(now) },
    )
    return {}
  },
}
