export { createDockerExecutor } from './executor.ts'
export type { DockerExecutorInit } from './types.ts'
