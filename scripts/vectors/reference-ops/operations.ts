import { ProtocolError } from '../../../protocols/errors.ts'
import type { Input, Json, Op, Refusal } from '../kit/kit.ts'
import { accessOps } from './access.ts'
import { announcementOps } from './announcement.ts'
import { archiveOps } from './archive.ts'
import { codeOps } from './code.ts'
import { keyOps } from './keys.ts'
import { meshOps } from './mesh.ts'
import { messageOps } from './messages.ts'
import { statementOps } from './statements.ts'

const ops = new Map<string, Op>(
  Object.entries({
    ...keyOps,
    ...messageOps,
    ...announcementOps,
    ...accessOps,
    ...statementOps,
    ...meshOps,
    ...archiveOps,
    ...codeOps,
  }),
)

/** Runs one case; a refusal is a result like any other. Anything but a ProtocolError is a bug and flies on. */
export function perform(input: Input): { expect: { [output: string]: Json } } | { error: Refusal } {
  const op = ops.get(input.op)
  if (op === undefined) throw new TypeError(`no operation "${input.op}"`)
  try {
    return { expect: op(input) }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { error: { reason: reasonOf(error), field: error.field } }
  }
}

/** EncodingError -> encoding; ProtocolError itself -> shape. */
function reasonOf(error: ProtocolError): string {
  return error.name === 'ProtocolError' ? 'shape' : error.name.replace(/Error$/, '').toLowerCase()
}
