import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import type { Engine } from './engine.ts'

/** Of a mode as Go has it. */
const FOLDER = 0x80000000

const statSchema = z.object({ size: z.number(), mode: z.number(), linkTarget: z.string() })
export type FileStat = z.output<typeof statSchema>

/**
 * What the engine says of a path in a container, without opening it; undefined where nothing is. Folders on the way may be
 * links, the last part is taken as it is. `linkTarget`: where it leads within the container; an empty text where it is no link.
 */
export function statOf(
  { askMaybe }: Pick<Engine, 'askMaybe'>,
  container: string,
  path: string,
): Promise<FileStat | undefined> {
  return askMaybe(async (docker) => {
    const answer: NodeJS.ReadableStream & Partial<Pick<IncomingMessage, 'headers' | 'destroy'>> = await docker
      .getContainer(container)
      .infoArchive({ path })
    const { headers } = answer
    // an answer that nobody reads keeps its connection, and the node
    answer.destroy?.()
    return statSchema.parse(
      JSON.parse(Buffer.from(`${headers?.['x-docker-container-path-stat']}`, 'base64').toString()),
    )
  })
}

export function isFolder(stat: FileStat | undefined): boolean {
  return stat !== undefined && Math.floor(stat.mode / FOLDER) % 2 === 1
}
