const GIB = 2 ** 30

/** The machine that each node of a simulation has. */
export const MACHINE = {
  memoryBytes: 8 * GIB,
  memoryTotalBytes: 16 * GIB,
  cpuMillicores: 8000,
  diskBytes: 100 * GIB,
}
