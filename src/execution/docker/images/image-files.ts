import { RunRefusedError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { statOf } from '../file-stat.ts'
import { type ImageWishes, KERNEL, quoted } from './image-wishes.ts'

/** The engine itself, which may be root, opens these in the container to find the run's user. */
const OPENED = ['/etc/passwd', '/etc/group']
const MAX_OPENED_BYTES = 1024 * 1024
/** Of a mode as Go has it: folder, link, device, pipe, socket, character device, irregular. */
const NOT_REGULAR = 0x8f280000

type Asked = Pick<Engine, 'askMaybe'>

/**
 * Refuses an image with which the engine does to its own machine what no run may. A pipe as /etc/passwd holds the engine up
 * for ever, a device there is opened as the machine's. A working folder or a volume that is a link to /proc begins in, or
 * covers, what the kernel shows. The engine says of each path what it is, without opening it.
 */
export async function refuseHostileFiles(
  engine: Asked,
  container: string,
  { workingDir, volumes }: Pick<ImageWishes, 'workingDir' | 'volumes'>,
): Promise<void> {
  for (const path of OPENED) await refuseIrregular(engine, container, path)
  for (const path of new Set([workingDir, ...volumes].flatMap(prefixesOf))) {
    const target = (await statOf(engine, container, path))?.linkTarget ?? ''
    if (!KERNEL.test(target)) continue
    throw new RunRefusedError(`the image's ${quoted(path)} is a link to ${quoted(target)}, which is the kernel's`)
  }
}

async function refuseIrregular(engine: Asked, container: string, path: string): Promise<void> {
  const link = await statOf(engine, container, path)
  const file = link?.linkTarget ? await statOf(engine, container, link.linkTarget) : link
  if (file === undefined) return
  if ((file.mode & NOT_REGULAR) !== 0) throw new RunRefusedError(`the image's ${path} is no plain file`)
  if (file.size > MAX_OPENED_BYTES) throw new RunRefusedError(`the image's ${path} has more than 1 MiB`)
}

/** `/a/b` -> `/a`, `/a/b` */
function prefixesOf(path: string): string[] {
  const parts = path.split('/').filter(Boolean)
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}
