import { createHash } from 'node:crypto'
import { askEngine, withFilters } from './engine-client.ts'

/** Where it says which node a container or volume belongs to. What a launcher's run consists of belongs to the launcher's task. */
const OWNER_LABEL = 'thundercloud.node'
const OWNER_PREFIX = 'swarm.'
/** The engine puts it on the containers of a task. */
const TASK_LABEL = 'com.docker.swarm.task.id'
/** Images that a run was loaded from are named so, and by its owner. */
export const IMAGE_REPOSITORY = 'thundercloud-image-swarm-'
/** A volume is in use until the engine has removed its container. */
const BUSY_MS = 200
const BUSY_TRIES = 25

type Labelled = { readonly Labels?: Readonly<Record<string, string>> | null }
type Container = Labelled & { readonly Id: string; readonly State: string }
type Volume = Labelled & { readonly Name: string }
type Image = { readonly RepoTags?: readonly string[] | null }
type Ask = typeof askEngine

/** How the parts of a run are labelled that the launcher of this task holds. */
export function ownerOf(task: string): string {
  return `${OWNER_PREFIX}${task}`
}

/** What a machine has of runs that launchers hold. `ask`: its engine. */
export function createLeftovers(ask: Ask = askEngine) {
  const labelled = withFilters('/containers/json?all=1', { label: [OWNER_LABEL] })

  async function answer(path: string): Promise<unknown> {
    const { status, json } = await ask('GET', path)
    if (status !== 200) throw new Error(`the engine answers ${status} to GET ${path}`)
    return json
  }

  async function list(path: string): Promise<unknown[]> {
    const found = await answer(path)
    return Array.isArray(found) ? found : []
  }

  const containers = async () => (await list(labelled)) as Container[]

  async function volumes(): Promise<Volume[]> {
    const path = withFilters('/volumes', { label: [OWNER_LABEL] })
    return ((await answer(path)) as { Volumes?: Volume[] | null }).Volumes ?? []
  }

  /** The names of all images that were loaded for runs. */
  async function imageNames(): Promise<string[]> {
    const images = (await list(withFilters('/images/json', { reference: [`${IMAGE_REPOSITORY}*`] }))) as Image[]
    return images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name.startsWith(IMAGE_REPOSITORY))
  }

  /** Fine where it is gone, or another removal of it is on its way and ends. */
  async function remove(path: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const { status } = await ask('DELETE', path)
      if (status < 300 || status === 404) return
      if (status !== 409 || attempt >= BUSY_TRIES) throw new Error(`the engine answers ${status} to DELETE ${path}`)
      // biome-ignore lint/style/noRestrictedGlobals: it runs alone in a container, where no clock is handed in
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS))
    }
  }

  /** All are tried, whichever fails. Containers first: what they use goes after them. */
  async function removeThese(
    isOwned: (owner: string) => boolean,
    isOwnedImage: (name: string) => boolean,
  ): Promise<void> {
    const owned = ({ Labels }: Labelled) => {
      const owner = Labels?.[OWNER_LABEL] ?? ''
      return owner.startsWith(OWNER_PREFIX) && isOwned(owner)
    }
    const steps: (() => Promise<string[]>)[] = [
      async () => (await containers()).filter(owned).map(({ Id }) => `/containers/${Id}?force=1&v=1`),
      async () => (await volumes()).filter(owned).map(({ Name }) => `/volumes/${encodeURIComponent(Name)}`),
      // an image that was loaded for this run alone goes; of one that others use only the name does
      async () => (await imageNames()).filter(isOwnedImage).map((name) => `/images/${encodeURIComponent(name)}`),
    ]
    const failed: unknown[] = []
    for (const step of steps) {
      try {
        const results = await Promise.allSettled((await step()).map(remove))
        for (const result of results) if (result.status === 'rejected') failed.push(result.reason)
      } catch (error) {
        failed.push(error)
      }
    }
    if (failed.length > 0) throw failed[0]
  }

  return {
    /** Removes what the run of this owner consists of: containers, volumes, and the names by which images are kept for it. */
    removeOwned(owner: string): Promise<void> {
      const repository = repositoryOf(owner)
      return removeThese(
        (other) => other === owner,
        (name) => name.startsWith(`${repository}:`),
      )
    },
    /** The same of tasks whose launcher does not run on this machine any more: it was killed, or the machine was. */
    async sweep(): Promise<void> {
      // asked first: what begins after these answers has a launcher that is not in them, and nothing yet
      const [ours, volumesOfOurs, names] = await Promise.all([containers(), volumes(), imageNames()])
      const before = new Set([...ours, ...volumesOfOurs].map(({ Labels }) => Labels?.[OWNER_LABEL] ?? ''))
      const tasks = (await list(withFilters('/containers/json?all=1', { label: [TASK_LABEL] }))) as Container[]
      const alive = tasks.filter(({ State }) => isAlive(State)).map(({ Labels }) => ownerOf(Labels?.[TASK_LABEL] ?? ''))
      const used = new Set(alive.map(repositoryOf))
      const isLeft = (name: string) => names.includes(name) && !used.has(name.slice(0, name.lastIndexOf(':')))
      await removeThese((owner) => before.has(owner) && !alive.includes(owner), isLeft)
    },
  }
}

function isAlive(state: string): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

/** The docker executor names what it loads for this owner so. */
function repositoryOf(owner: string): string {
  return `${IMAGE_REPOSITORY}${createHash('sha256').update(owner).digest('hex').slice(0, 12)}`
}
