import { LABEL, LABEL_ROLE } from '../constants.ts'
import type { Plan } from '../types.ts'
import type { EngineLocality } from './engine-locality.ts'

const PORTS = 'thundercloud.ports'
const LOGS = 'thundercloud.logs'
/** bytes of one file of its log; absent where an earlier version made it */
const LOG_BYTES = 'thundercloud.log-bytes'
const TIMEOUT = 'thundercloud.timeout'
const PLACE = 'thundercloud.place'
/** how it began: see `Run.start`; and when, where that is not when its container did, ms since 1970 */
const START = 'thundercloud.start'
const STARTED_AT = 'thundercloud.started-at'
/** values of PLACE, as earlier versions wrote them */
const HERE = 'here'
const APART = 'apart'

type Labels = Readonly<Record<string, string>>

/** What an adopter needs that neither name nor other labels of a run say. */
export function runLabels(
  plan: Plan,
  { locality, logBytes, start }: { locality: EngineLocality; logBytes: number; start: string | undefined },
): Labels {
  return {
    ...(start === undefined ? {} : { [START]: start }),
    [PORTS]: plan.ports.join(','),
    [LOGS]: plan.logDir,
    [LOG_BYTES]: `${logBytes}`,
    [PLACE]: locality === 'remote' ? APART : HERE,
    [TIMEOUT]: `${plan.lifetime?.afterMs ?? ''}`,
  }
}

export type LabelledRun = {
  readonly plan: Pick<Plan, 'runId' | 'service' | 'ports' | 'logDir' | 'lifetime'>
  readonly purpose: Plan['purpose']
  readonly locality: EngineLocality
  /** undefined: as the node has it now */
  readonly logBytes: number | undefined
  readonly start: string | undefined
  /** undefined: when its container did */
  readonly startedAt: number | undefined
}

/** The same, and what other labels say, of a run that begins in a container which was there before it. */
export function warmRunLabels(labels: Labels, { runId, service }: Pick<Plan, 'runId' | 'service'>, startedAt: number) {
  const own = { [LABEL.run]: runId, [LABEL.service]: service, [LABEL_ROLE]: 'run' }
  return { ...labels, ...own, [STARTED_AT]: `${startedAt}` }
}

/** Undefined for a container that is neither a run nor a build. */
export function parseRunLabels(labels: Labels): LabelledRun | undefined {
  const { [LABEL.run]: runId, [LABEL_ROLE]: purpose } = labels
  if (runId === undefined || (purpose !== 'run' && purpose !== 'build')) return undefined
  const afterMs = Number(labels[TIMEOUT] ?? '') || undefined
  return {
    plan: {
      runId,
      service: labels[LABEL.service] ?? '',
      ports: (labels[PORTS] ?? '').split(',').filter(Boolean).map(Number),
      logDir: labels[LOGS] ?? '',
      lifetime: { afterMs, graceMs: 0 },
    },
    purpose,
    locality: labels[PLACE] === APART ? 'remote' : 'local',
    logBytes: Number(labels[LOG_BYTES] ?? '') || undefined,
    start: labels[START],
    startedAt: Number(labels[STARTED_AT] ?? '') || undefined,
  }
}
