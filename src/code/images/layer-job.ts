import type { ImageLayer } from './image-manifest.ts'

/** The descriptor of the layer. */
export const LAYER_FD = 3

/** What the measuring process gets, as one line of JSON on its standard input. The input's end means: stop. */
export type LayerJob = { readonly compression: ImageLayer['compression']; readonly maxBytes: number }

/** What it answers, as one line of JSON on its standard output. */
export type LayerResult =
  /** `diffId`: sha256 of what it decompresses to, hex */
  | { readonly done: true; readonly bytes: number; readonly diffId: string }
  | { readonly done: false; readonly why: 'too-large' | 'malformed'; readonly message: string }
