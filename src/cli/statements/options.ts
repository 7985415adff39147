import { flag, text, texts, whole } from '../command.ts'

/** Where a node runs, what the statement would start, stop and park there is said first. */
export const yesOption = flag('do not ask, where the statement would change what this node runs', '-y')

/** How a statement leaves: options of every command that makes one. */
export const destinationOptions = {
  join: texts('MULTIADDR', 'publish without a node, through this one of the mesh; may be repeated'),
  network: text('NAME', 'without a node: the network (default: the folder\'s, else "thundercloud")'),
  out: text('FILE', 'also write it to a file, for `publish --staple` and `hub publish`'),
  offline: flag('only write --out: no node is contacted'),
  yes: yesOption,
}

export type DestinationInput = {
  readonly join: readonly string[]
  readonly network: string | undefined
  readonly out: string | undefined
  readonly offline: boolean
  readonly yes: boolean
}

const keyOption = (fallback: string) =>
  text('FILE', `the key that signs: ed25519 (PEM) or BLS12-381 (JSON); default: ${fallback}`)

const numbered = {
  seq: whole(
    'NUMBER',
    'sequence number; the highest wins (default: the time in seconds, or one more than the last known)',
    { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: undefined },
  ),
  ...destinationOptions,
}

/** For what a node's operator says. */
export const signingOptions = { key: keyOption("the node's own"), ...numbered }

/** For what a hub says. */
export const hubSigningOptions = {
  key: keyOption("the KEY of the folder's hub.json, else the node's own"),
  ...numbered,
}

export type SigningInput = DestinationInput & { readonly key: string | undefined; readonly seq: number | undefined }

export const hubOption = text(
  'FILE',
  'public file of a hub of several members: writes a draft to --out, for `hub sign`, and publishes nothing',
)
