import type { Disk, OpenFile } from '../../base/os/disk.ts'
import type { Fence } from './fence.ts'

/** A disk, as one process has it. A crashed one reads and writes nothing: each call fails. */
export function fencedDisk(disk: Disk, fence: Fence): Disk {
  return {
    async open(...parameters) {
      fence.pass()
      const file = await disk.open(...parameters)
      fence.pass()
      return fencedFile(file, fence)
    },
    renameSync(from, to) {
      fence.pass()
      disk.renameSync(from, to)
      fence.pass()
    },
    readFile: guarded(disk.readFile, fence),
    writeFile: guarded(disk.writeFile, fence),
    mkdir: guarded(disk.mkdir, fence),
    mkdtemp: guarded(disk.mkdtemp, fence),
    readdir: guarded(disk.readdir, fence),
    rename: guarded(disk.rename, fence),
    rm: guarded(disk.rm, fence),
    stat: guarded(disk.stat, fence),
    utimes: guarded(disk.utimes, fence),
  }
}

function fencedFile(file: OpenFile, fence: Fence): OpenFile {
  return {
    read: guarded(file.read, fence),
    write: guarded(file.write, fence),
    writeFile: guarded(file.writeFile, fence),
    stat: guarded(file.stat, fence),
    sync: guarded(file.sync, fence),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

/** Disks of simulations are objects without `this`. */
function guarded<Parameters extends unknown[], Result>(
  call: (...parameters: Parameters) => Promise<Result>,
  fence: Fence,
): (...parameters: Parameters) => Promise<Result> {
  return async (...parameters) => {
    fence.pass()
    const result = await call(...parameters)
    fence.pass()
    return result
  }
}
