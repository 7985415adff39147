import type { Applied, Preview, Reevaluation } from '../admission/views.ts'
import { replaceFile } from '../base/atomic-file.ts'
import type { Clock } from '../base/clock.ts'
import { InputError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { type Configuration, type PolicyDraft, readPolicyText } from '../config/index.ts'
import { RunnerError, type RunnerHost } from '../runner/index.ts'
import type { Trust } from '../trust/index.ts'
import { startCandidate } from './candidate-runner.ts'

/** Changes of policy wait for one another; a person does not send more than this. */
const MAX_WAITING = 16

export interface PolicyManagerComponents {
  clock: Clock
  log: Log
  reevaluation: Pick<Reevaluation, 'preview'>
  /** The one in force. */
  runner: Pick<RunnerHost, 'decide'>
  trust: Pick<Trust, 'assume'>
  /** Reads the folder again, puts it in force and decides again; throws where it is wrong, and then nothing has changed. */
  reload(): Promise<Applied>
}

/** Looks at a candidate for the policy, and puts it in force. */
export interface PolicyManager {
  /** What would change among everything that is live here. Nothing is done. */
  preview(text: string, options?: { signal?: AbortSignal | undefined }): Promise<Preview>
  /** What would change if this statement (encoded) were in force. Nothing is done. Throws an InputError where it cannot be. */
  previewStatement(encoded: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<Preview>
  /** Replaces the runner's config.json, and decides again. The file is as it was where that fails. */
  apply(text: string, options?: { signal?: AbortSignal | undefined }): Promise<Applied>
}

export function createPolicyManager(
  { clock, log, reevaluation, runner: inForce, trust, reload }: PolicyManagerComponents,
  init: { configuration(): Configuration },
): PolicyManager {
  const queue = createWorkQueue({ name: 'policy', concurrency: 1, max: MAX_WAITING })

  async function load(draft: PolicyDraft): Promise<RunnerHost> {
    const { runner, timeouts } = init.configuration()
    const { entry, dir, network } = runner
    const module = { entry, dir, network, timeoutMs: timeouts.VERDICT * 1000 }
    return await startCandidate({ clock, log }, { ...module, config: draft.policy.config })
  }

  async function preview(text: string, signal: AbortSignal | undefined): Promise<Preview> {
    const draft = readPolicyText(text, undefined, init.configuration().network)
    await using host = await load(draft)
    const ask = (...[service, snapshot]: Parameters<Parameters<Reevaluation['preview']>[0]>) =>
      host.decide(service, snapshot, { signal })
    return await reevaluation.preview(ask, draft.policy.config, { signal })
  }

  async function previewStatement(encoded: Uint8Array, signal: AbortSignal | undefined): Promise<Preview> {
    const assumed = trust.assume(encoded)
    const ask = (...[service, snapshot]: Parameters<Parameters<Reevaluation['preview']>[0]>) =>
      inForce.decide(service, snapshot, { signal })
    return await reevaluation.preview(ask, init.configuration().policy.config, { signal, assumed })
  }

  async function apply(text: string, signal: AbortSignal | undefined): Promise<Applied> {
    const draft = readPolicyText(text, undefined, init.configuration().network)
    await (await load(draft))[Symbol.asyncDispose]()
    signal?.throwIfAborted()
    const { configFile } = init.configuration().runner
    const replaced = await replaceFile(configFile, draft.text)
    try {
      return await reload()
    } catch (error) {
      await replaced.undo()
      // where it had got into force already, the one before comes back; where it had not, nothing changes
      await reload().catch(() => {})
      log.warn('a policy could not be put in force; the file is as it was', { file: configFile })
      throw error
    }
  }

  return {
    preview: (text, { signal } = {}) => queue.add(() => preview(text, signal)).catch(asCandidateError),
    previewStatement: (encoded, { signal } = {}) => queue.add(() => previewStatement(encoded, signal)),
    // from here on it is not interrupted: half a change of policy is of no use
    apply: (text, { signal } = {}) => queue.add(() => apply(text, signal)).catch(asCandidateError),
  }
}

/** The operator's file and the operator's module do not go together: nothing is wrong with the node. */
function asCandidateError(error: unknown): never {
  throw error instanceof RunnerError ? new InputError(error.message, { cause: error }) : error
}
