import { spawn } from 'node:child_process'
import { once } from 'node:events'
import Docker from 'dockerode'

/** What the program of every round writes first. */
export const LINE = 'began'
const SCRIPT = `console.log('${LINE}')`

/** From nothing to the first output of bubblewrap with Node in it, ms. */
export async function bareBubblewrap(bwrap: string): Promise<number> {
  const box = ['--unshare-all', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev']
  const began = performance.now()
  const child = spawn(bwrap, [...box, '--', process.execPath, '-e', SCRIPT], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  const ms = performance.now() - began
  await closed
  return ms
}

/** The same with dockerode: create, start, and the first bytes of the container's log, ms. */
export async function bareDocker(image: string, codeDir: string): Promise<number> {
  const docker = new Docker()
  const began = performance.now()
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['node', 'main.js'],
    WorkingDir: '/code',
    HostConfig: { NetworkMode: 'none', Binds: [`${codeDir}:/code:ro`] },
  })
  try {
    await container.start()
    const log = await container.logs({ follow: true, stdout: true })
    await once(log, 'data')
    return performance.now() - began
  } finally {
    await container.remove({ force: true })
  }
}
