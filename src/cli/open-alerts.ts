import { type Alerts, createAlerts } from '../alerts/index.ts'
import type { Log } from '../base/log.ts'
import type { Configuration } from '../config/index.ts'
import type { ThundercloudNode } from '../node/types.ts'
import type { Check } from './checks/check.ts'
import { checkClock, checkDisk } from './checks/machine.ts'
import type { Cli } from './cli.ts'

type Opening = { readonly configuration: Configuration; readonly node: ThundercloudNode; readonly log: Log }

/** Notifies the operator of faults as `ALERTS` in node.json says, with the checks of `doctor`. */
export function openAlerts({ clock, rng, env, version }: Cli, { configuration, node, log }: Opening): Alerts {
  const { dir, dataDir, policy, alerts } = configuration
  const probes = {
    disk: async () => problemOf('the disk of the node is nearly full', await checkDisk(dataDir)),
    clock: async () => {
      const facts = { folder: dir, origins: policy.staticNodes.origins }
      return problemOf('the clock of this machine is wrong', await checkClock(clock, facts))
    },
  }
  return createAlerts({ clock, rng, log, node, probes, env }, { alerts, version })
}

function problemOf(what: string, { outcome, found }: Check): string | undefined {
  return outcome === 'ok' ? undefined : `${what}: ${found}`
}
