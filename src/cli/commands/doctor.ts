import { sanitizeText } from '../../base/format.ts'
import type { Check } from '../checks/check.ts'
import { checkFolder } from '../checks/folder.ts'
import { checkClock, checkDisk, checkExecutors, checkNodeVersion } from '../checks/machine.ts'
import { checkRunningNode } from '../checks/running-node.ts'
import { checkStore } from '../checks/store.ts'
import { checkWarmStarts } from '../checks/warm-starts.ts'
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
    const { clock, out, signal } = cli
    using progress = out.progress('looking')
    const { checks: ofFolder, configuration, peerId } = await checkFolder(folder, cli.env, signal)
    const origins = configuration?.policy.staticNodes.origins ?? []
    const root = process.getuid?.() === 0
    const executors = await checkExecutors(clock, configuration, { env: cli.env, rng: cli.rng, signal, peerId })
    const machine = { root, available: executors.available }
    const checks: Check[] = [
      checkNodeVersion(process.versions.node),
      ...ofFolder,
      ...(await checkRunningNode(cli, folder)),
      ...executors.checks,
      ...(configuration === undefined ? [] : checkWarmStarts(configuration.policy.config, machine)),
      ...(configuration === undefined ? [] : [await checkStore(clock, configuration, signal)]),
      await checkClock(clock, { folder: configuration?.dir, origins }),
      await checkDisk(configuration?.dir ?? cli.cwd),
    ]
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
