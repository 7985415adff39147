import { z } from 'zod'
import { hubSchema } from '../files/hub-schema.ts'
import { manifestSchema } from '../files/manifest-schema.ts'
import { nodeSchema } from '../files/node-schema.ts'
import { runnerSchema } from '../files/runner-schema.ts'
import { servicesSchema } from '../files/services-schema.ts'
import { toolchainTableSchema } from '../files/toolchain-schema.ts'

/** Every file that people write, by the name of its JSON Schema. */
export const FILE_SCHEMAS = {
  node: { schema: nodeSchema, title: 'node.json of a Thundercloud node' },
  services: { schema: servicesSchema, title: 'services.json of a Thundercloud node' },
  runner: { schema: runnerSchema, title: 'config.json of a Thundercloud runner' },
  hub: { schema: hubSchema, title: 'hub.json of a Thundercloud hub' },
  manifest: { schema: manifestSchema, title: 'service.json: a service before it is signed' },
  toolchains: { schema: toolchainTableSchema, title: 'toolchains.json: what the names of toolchains mean' },
} as const

export type FileKind = keyof typeof FILE_SCHEMAS

/** The JSON Schema of one kind of file, as editors read it. */
export function jsonSchemaOf(kind: FileKind): object {
  const { schema, title } = FILE_SCHEMAS[kind]
  // draft 7 is what every editor speaks
  return { ...z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }), title }
}

/** As it is written to a file. */
export function jsonSchemaText(kind: FileKind): string {
  return `${JSON.stringify(jsonSchemaOf(kind), null, 2)}\n`
}
