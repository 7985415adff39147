import { nowSeconds } from '../../../base/clock.ts'
import { formatBytes, formatCount } from '../../../base/format.ts'
import type { CheckedCode } from '../../../node/types.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command, optionalArguments } from '../../command.ts'
import { FailedError } from '../../errors.ts'
import { repairText } from '../../output/code-text.ts'
import { idFormats } from '../../output/text.ts'

function thenText({ state, repair }: CheckedCode, now: number): string {
  if (state === 'removed') return 'removed'
  return repair === undefined ? 'in use' : `in use; ${repairText(repair, now)}`
}

export const codeVerify = command({
  name: 'code verify',
  summary: 'Read code from the disk and compare each byte with its content id',
  details:
    'Damaged code is removed, and fetched again when a service needs it. Damaged code that is in use is fetched again at once, and later again where no peer and no source has it; running services keep their files. `code ls` says how that goes. Exit code 1: something is damaged.',
  args: { codes: optionalArguments('CODE', 'content ids, or beginnings of them; without one, all code in the store') },
  options: {},
  async run(cli, { codes }) {
    const client = await nodeClient(cli)
    const { id } = idFormats(cli.out.terminal)
    const counts = { checked: 0, bytes: 0, damaged: 0 }
    const progress = cli.out.progress('reading code')
    using _progress = progress
    for await (const checked of client.code.verify(codes, { signal: cli.signal })) {
      counts.checked++
      counts.bytes += checked.bytes
      progress.update(`${formatCount(counts.checked)}, ${formatBytes(counts.bytes)}`)
      if (checked.state !== 'ok') counts.damaged++
      if (checked.state === 'ok' && !cli.out.json) continue
      cli.out.item(
        checked,
        () => `${id(checked.code)}: ${checked.why ?? 'damaged'}; ${thenText(checked, nowSeconds(cli.clock))}`,
      )
    }
    if (counts.damaged > 0) {
      throw new FailedError(`damaged on this disk: ${formatCount(counts.damaged)} of ${formatCount(counts.checked)}`)
    }
    const intact = counts.checked === 1 ? '1 code is intact' : `${formatCount(counts.checked)} codes are intact`
    cli.out.note(`${intact} (${formatBytes(counts.bytes)} read).`)
  },
})
