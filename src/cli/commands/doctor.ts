import { sanitizeText } from '../../base/format.ts'
import { checkAll } from '../checks/all.ts'
import type { Check } from '../checks/check.ts'
import { command, optionalArgument } from '../command.ts'
import { FailedError } from '../errors.ts'
import { operatorFolder } from '../operator-folder.ts'

export const doctor = command({
  name: 'doctor',
  summary: "Check this machine and a node's folder: engine, sandbox, ports, clock, code store, files",
  args: { dir: optionalArgument('DIR', "the operator's folder") },
  options: {},
  async run(cli, { dir }) {
    const folder = await operatorFolder(cli, dir)
    const { out } = cli
    using progress = out.progress('looking')
    const checks = await checkAll(cli, folder)
    progress[Symbol.dispose]()
    const failed = checks.filter(({ outcome }) => outcome === 'fail').length
    out.result({ ok: failed === 0, folder, checks }, () => checks.map(lineOf))
    if (failed > 0) throw new FailedError(`${failed} of ${checks.length} checks failed.`)
  },
})

function lineOf({ what, outcome, found, advice }: Check): string {
  const mark = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' }[outcome]
  return `${mark}  ${what.padEnd(13)}  ${sanitizeText(found, 400)}${advice === undefined ? '' : `; ${advice}`}`
}
