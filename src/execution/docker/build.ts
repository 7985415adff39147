import { type Clock, sleep } from '../../base/clock.ts'
import { DISK_WATCH_MS } from '../constants.ts'
import type { Plan, RunEnd } from '../contract.ts'
import { askDoor } from '../door/connect.ts'
import { RunRefusedError } from '../errors.ts'
import { type Delivery, volumeOf } from './delivery.ts'
import type { Doors } from './doors.ts'
import type { Engine } from './engine.ts'
import type { DockerHandle } from './options.ts'

type BuildInput = {
  readonly engine: Engine
  readonly clock: Clock
  readonly doors: Doors
  readonly delivery: Delivery
  readonly handle: DockerHandle
  readonly plan: Plan & { readonly codeDir: string }
}

/** A build on an engine that does not see our folders: its disk is watched there, and what it has made is fetched. */
export async function attendBuild(
  input: BuildInput,
  ended: Promise<RunEnd>,
  signal: AbortSignal | undefined,
): Promise<RunEnd> {
  const { engine, delivery, doors, handle, plan } = input
  const maxBytes = plan.grant.diskBytes
  const tooMuch: RunEnd = {
    exitCode: 137,
    reason: 'stopped',
    detail: `the build wrote more than the ${maxBytes} bytes of disk that were granted`,
  }
  const over = new AbortController()
  const watched = watch(input, signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]))
  try {
    const end = await Promise.race([ended, watched.then(() => tooMuch)])
    if (end === tooMuch) {
      ended.catch(() => {})
      await engine.askMaybe(engine.docker.getContainer(handle.name).kill())
    } else if (end.exitCode === 0) {
      await delivery.fetchBuilt({ codeDir: plan.codeDir, maxBytes }, handle)
    }
    return end
  } catch (error) {
    // An archive that is larger than granted.
    if (error instanceof RunRefusedError) return { ...tooMuch, detail: error.message }
    throw error
  } finally {
    over.abort()
    doors.close(handle)
  }
}

/** Resolves when the volume has grown over what is granted; else never. */
async function watch({ clock, doors, handle, plan }: BuildInput, signal: AbortSignal): Promise<void> {
  const way = doors.way({ handle, plan, place: 'apart', volume: volumeOf(handle), gatewayFirst: true })
  while (!signal.aborted) {
    await sleep(clock, DISK_WATCH_MS, { signal }).catch(() => {})
    if (signal.aborted) break
    // Who can not be asked now is asked again; what was written meanwhile is measured when it is fetched.
    const bytes = await askDoor(way, { measure: true }, signal).catch(() => '0')
    if (Number(bytes) > plan.grant.diskBytes) return
  }
  return new Promise<void>(() => {})
}
