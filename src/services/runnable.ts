import type { AddressTexts } from '../base/address-texts.ts'
import { canonicalToolchain } from '../config/index.ts'
import type { RunnableService } from '../execution/index.ts'
import type { SignedService } from './registry.ts'

/** The part of a service that execution needs; journalled with the run. */
export function runnableOf({ id, body }: SignedService, texts: AddressTexts): RunnableService {
  return {
    id: id.toString(),
    author: texts.ofBytes(body.author),
    name: body.name,
    code: body.code.toString(),
    toolchain: body.toolchain.map(canonicalToolchain),
    run: body.run,
    ...(body.network.length > 0 && { network: body.network }),
    expires: body.expires,
  }
}
