import { createHash } from 'node:crypto'
import { askEngine, withFilters } from './engine-client.ts'

/** Where it says which node a container or volume belongs to. What a launcher's run consists of belongs to the launcher's task. */
const OWNER_LABEL = 'thundercloud.node'
const OWNER_PREFIX = 'swarm.'
/** The engine puts it on the containers of a task. */
const TASK_LABEL = 'com.docker.swarm.task.id'
const IMAGE_REPOSITORY = 'thundercloud-image-'
/** A volume is in use until the engine has removed its container. */
const BUSY_MS = 200
const BUSY_TRIES = 25

type Labelled = { readonly Labels?: Readonly<Record<string, string>> | null }
type Container = Labelled & { readonly Id: string; readonly State: string }
type Volume = Labelled & { readonly Name: string }
type Image = { readonly RepoTags?: readonly string[] | null }

/** How the parts of a run are labelled that the launcher of this task holds. */
export function ownerOf(task: string): string {
  return `${OWNER_PREFIX}${task}`
}

/** Removes what the runs of these owners consist of: containers, volumes, and the names by which images are kept for them. */
export async function removeOwned(isOwned: (owner: string) => boolean): Promise<void> {
  const containers = (await list(withFilters('/containers/json?all=1', label()))) as Container[]
  const owners = new Set<string>()
  const owned = (labelled: Labelled) => {
    const owner = labelled.Labels?.[OWNER_LABEL] ?? ''
    if (!owner.startsWith(OWNER_PREFIX) || !isOwned(owner)) return false
    owners.add(owner)
    return true
  }
  const results = await Promise.allSettled(
    containers.filter(owned).map(({ Id }) => remove(`/containers/${Id}?force=1&v=1`)),
  )
  const { Volumes } = (await answer(withFilters('/volumes', label()))) as { Volumes?: Volume[] | null }
  for (const { Name } of (Volumes ?? []).filter(owned)) await remove(`/volumes/${encodeURIComponent(Name)}`)
  for (const owner of owners) await removeImages(owner)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

/** Of tasks whose launcher does not run on this machine any more: it was killed, or the machine was. */
export async function sweep(): Promise<void> {
  // asked first: what begins after this answer has a launcher that is not in it, and no container yet
  const owned = (await list(withFilters('/containers/json?all=1', label()))) as Container[]
  const before = new Set(owned.map(({ Labels }) => Labels?.[OWNER_LABEL] ?? ''))
  const { Volumes } = (await answer(withFilters('/volumes', label()))) as { Volumes?: Volume[] | null }
  for (const { Labels } of Volumes ?? []) before.add(Labels?.[OWNER_LABEL] ?? '')
  const tasks = (await list(withFilters('/containers/json?all=1', { label: [TASK_LABEL] }))) as Container[]
  const alive = new Set(
    tasks.filter(({ State }) => isAlive(State)).map(({ Labels }) => ownerOf(Labels?.[TASK_LABEL] ?? '')),
  )
  await removeOwned((owner) => before.has(owner) && !alive.has(owner))
}

function isAlive(state: string): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

/** An image that was loaded for this run alone goes; of one that others use only the name does. */
async function removeImages(owner: string): Promise<void> {
  const repository = `${IMAGE_REPOSITORY}${createHash('sha256').update(owner).digest('hex').slice(0, 12)}`
  const images = (await list(withFilters('/images/json', { reference: [repository] }))) as Image[]
  for (const tag of images.flatMap(({ RepoTags }) => RepoTags ?? []))
    if (tag.startsWith(`${repository}:`)) await remove(`/images/${encodeURIComponent(tag)}`)
}

const label = () => ({ label: [OWNER_LABEL] })

async function answer(path: string): Promise<unknown> {
  const { status, json } = await askEngine('GET', path)
  if (status !== 200) throw new Error(`the engine answers ${status} to GET ${path}`)
  return json
}

async function list(path: string): Promise<unknown[]> {
  const found = await answer(path)
  return Array.isArray(found) ? found : []
}

/** Fine where it is gone, or another removal of it is on its way. */
async function remove(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const { status } = await askEngine('DELETE', path)
    if (status < 300 || status === 404) return
    if (status !== 409) throw new Error(`the engine answers ${status} to DELETE ${path}`)
    if (attempt >= BUSY_TRIES) return
    // biome-ignore lint/style/noRestrictedGlobals: it runs alone in a container, where no clock is handed in
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS))
  }
}
