import { readFile } from 'node:fs/promises'
import type { Applied, Preview, Reevaluation } from '../admission/views.ts'
import { replaceFile } from '../base/atomic-file.ts'
import type { Clock } from '../base/clock.ts'
import { ConflictError, InputError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createWorkQueue } from '../base/work-queue.ts'
import { type Configuration, type PolicyDraft, readPolicyText } from '../config/index.ts'
import { RunnerError, type RunnerHost } from '../runner/index.ts'
import type { Trust } from '../trust/index.ts'
import { startCandidate } from './candidate-runner.ts'
import { digestOf, type PolicyAuthor, type PolicyHistory } from './history.ts'

/** Changes of policy wait for one another; a person does not send more than this. */
const MAX_WAITING = 16

export interface PolicyManagerComponents {
  clock: Clock
  log: Log
  reevaluation: Pick<Reevaluation, 'preview'>
  /** The one in force. */
  runner: Pick<RunnerHost, 'decide'>
  trust: Pick<Trust, 'assume'>
  history: Pick<PolicyHistory, 'intend' | 'forgetIntent'>
  /** Reads the folder again, puts it in force and decides again; throws where it is wrong, and then nothing has changed. */
  reload(): Promise<Applied>
}

/** Looks at a candidate for the policy, and puts it in force. */
export interface PolicyManager {
  /** What would change among everything that is live here. Nothing is done. */
  preview(text: string, options?: { signal?: AbortSignal | undefined }): Promise<Preview>
  /** What would change if this statement (encoded) were in force. Nothing is done. Throws an InputError where it cannot be. */
  previewStatement(encoded: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<Preview>
  /** The runner's config.json as it is on the disk, and the one before it, where that is kept. */
  read(): Promise<PolicyText>
  /**
   * Replaces the runner's config.json, and decides again. The file is as it was where that fails. `replaces`: the sha256 of the
   * text that it was made from; throws a ConflictError where the file says something else by now.
   */
  apply(text: string, options?: ApplyOptions): Promise<Applied>
}

/** A text with its sha256, in hex. */
export type PolicyText = { readonly text: string; readonly sha256: string; readonly previous?: string | undefined }
export type ApplyOptions = {
  readonly signal?: AbortSignal | undefined
  readonly replaces?: string | undefined
  /** who does it, for the history */
  readonly by?: PolicyAuthor | undefined
}

export function createPolicyManager(
  { clock, log, reevaluation, runner: inForce, trust, history, reload }: PolicyManagerComponents,
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

  async function read(): Promise<PolicyText> {
    const { configFile } = init.configuration().runner
    const text = await readFile(configFile, 'utf8')
    const previous = await readFile(`${configFile}.previous`, 'utf8').catch(() => undefined)
    return { text, sha256: digestOf(text), previous }
  }

  async function apply(text: string, { signal, replaces, by }: ApplyOptions): Promise<Applied> {
    const draft = readPolicyText(text, undefined, init.configuration().network)
    await (await load(draft))[Symbol.asyncDispose]()
    signal?.throwIfAborted()
    const { configFile } = init.configuration().runner
    const before = await readFile(configFile, 'utf8').catch(() => undefined)
    if (replaces !== undefined && digestOf(before ?? '') !== replaces) {
      throw new ConflictError('config.json was changed meanwhile; read it again, and change what it says now')
    }
    if (by !== undefined) history.intend(draft.text, by)
    const replaced = await replaceFile(configFile, draft.text)
    try {
      return await reload()
    } catch (error) {
      // who tried it also brought the one before back
      if (by !== undefined && before !== undefined) history.intend(before, by)
      await replaced.undo()
      // where it had got into force already, the one before comes back; where it had not, nothing changes
      await reload().catch(() => {})
      history.forgetIntent()
      log.warn('a policy could not be put in force; the file is as it was', { file: configFile })
      throw error
    }
  }

  return {
    preview: (text, { signal } = {}) => queue.add(() => preview(text, signal)).catch(asCandidateError),
    previewStatement: (encoded, { signal } = {}) => queue.add(() => previewStatement(encoded, signal)),
    read,
    // from here on it is not interrupted: half a change of policy is of no use
    apply: (text, options = {}) => queue.add(() => apply(text, options)).catch(asCandidateError),
  }
}

/** The operator's file and the operator's module do not go together: nothing is wrong with the node. */
function asCandidateError(error: unknown): never {
  throw error instanceof RunnerError ? new InputError(error.message, { cause: error }) : error
}
