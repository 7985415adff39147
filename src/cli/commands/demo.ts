import { command, flag } from '../command.ts'
import { createReporter } from '../demo/reporter.ts'

export const demo = command({
  name: 'demo',
  summary: 'Show the mesh with three nodes on this machine: publish, refuse and redirect, run, answer through a tunnel',
  details: 'Three nodes on loopback, in a temporary folder. Ctrl-C ends them and leaves nothing behind.',
  args: {},
  options: { once: flag('check the answer and exit: with 0, or with 1 and the reason') },
  async run(cli, { once }) {
    const { clock, rng, out, self, signal } = cli
    const reporter = createReporter({ clock, out })
    const { runDemo } = await import('../demo/run.ts')
    await runDemo({ clock, rng, log: cli.log('error'), reporter }, { command: self, env: cli.env, once, signal })
  },
})
