import { z } from 'zod'
import { nameSchema } from '../../../protocols/service.ts'
import { flag, keys, sentence } from '../zod-fields.ts'

const PATH = 'a path, relative to this file'
const path = () => z.string(PATH).min(1, PATH).max(1024, PATH)

const own = keys({
  DIR: path().describe('folder with the code and its service.json').optional(),
  MANIFEST: path().describe('manifest file').optional(),
  PUBLISH: flag().describe('also announce it to the mesh').default(false),
}).superRefine(({ DIR, MANIFEST }, context) => {
  if ((DIR === undefined) === (MANIFEST === undefined)) {
    sentence(context, [], DIR === undefined ? 'needs DIR or MANIFEST' : 'has both DIR and MANIFEST; keep one of them')
  }
})

const external = keys({
  FROM: z
    .string('a multiaddr or an HTTP(S) origin')
    .min(1)
    .max(512)
    .describe("where to ask first: a multiaddr or the origin of a node's API")
    .optional(),
})

export const servicesShape = {
  $schema: z.string('text').describe('the JSON Schema of this file, for editors').optional(),
  SERVICES: z
    .record(z.string(), own, 'an object from name to { DIR | MANIFEST, PUBLISH? }')
    .describe("this node's own services: signed by it, run here at boot and kept running, under LIMITS alone")
    .superRefine((services, context) => {
      for (const name of Object.keys(services)) {
        const problem = nameSchema.safeParse(name).error?.issues[0]?.message
        if (problem !== undefined) sentence(context, [name], `is no name for a service: it ${problem}`)
      }
    })
    .default({}),
  EXTERNAL_SERVICES: z
    .record(z.string(), external, 'an object from service id to { FROM? }')
    .describe("others' services by id: fetched at boot, then decided like any announcement, never forgotten")
    .superRefine((services, context) => {
      for (const id of Object.keys(services)) {
        if (!/^bafy[a-z2-7]{55}$/.test(id)) sentence(context, [id], 'is no service id (bafy..., 59 characters)')
      }
    })
    .default({}),
  RUNNER: z
    .string('a path below the runners folder')
    .regex(
      /^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\\\0]+\.(m?js|m?ts)$/,
      'the path of a .js, .mjs, .ts or .mts file below the runners folder',
    )
    .max(512)
    .describe('the runner that decides, below the runners folder; config.json beside it holds its settings')
    .default('andromeda/runner.js'),
  RUNNER_NETWORK: flag().describe("the runner's own process may use the network").default(false),
}

export const servicesSchema = keys(servicesShape)
export type ServicesConfig = z.output<typeof servicesSchema>
