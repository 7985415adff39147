import { decodeAddress, formatAddress } from '../../protocols/address.ts'
import { canonicalToolchain } from '../config/index.ts'
import type { RunnableService } from '../execution/index.ts'
import type { SignedService } from './services.ts'

/** The part of a service that execution needs; journalled with the run. */
export function runnableOf({ id, body }: SignedService): RunnableService {
  const oci = body.sources.find((source) => source.type === 'oci')
  return {
    id: id.toString(),
    author: formatAddress(decodeAddress(body.author)),
    code: body.code.toString(),
    toolchain: body.toolchain.map(canonicalToolchain),
    image: oci?.ref,
    run: body.run,
    expires: body.expires,
  }
}
