import { flag, text, texts, whole } from '../command.ts'

/** How a statement leaves: options of every command that makes one. */
export const leaving = {
  join: texts('MULTIADDR', 'publish without a node, through this one of the mesh; may be repeated'),
  network: text('NAME', 'without a node: the network (default: the folder\'s, else "thundercloud")'),
  out: text('FILE', 'also write it to a file, for `publish --staple` and `hub publish`'),
  offline: flag('only write --out: no node is asked or told'),
}

export type Leaving = {
  readonly join: readonly string[]
  readonly network: string | undefined
  readonly out: string | undefined
  readonly offline: boolean
}

export const signing = {
  key: text('FILE', "the key that signs: ed25519 (PEM) or BLS12-381 (JSON); default: the node's own"),
  seq: whole(
    'NUMBER',
    'its number; the highest stands (default: the time in seconds, or one more than the last that is known)',
    { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: undefined },
  ),
  ...leaving,
}

export type Signing = Leaving & { readonly key: string | undefined; readonly seq: number | undefined }

export const hubOption = text(
  'FILE',
  'public file of a hub of several members: writes a draft to --out, for `hub sign`, and publishes nothing',
)
