import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../build.ts'
import { needs } from '../../require.ts'
import { ON_LOOPBACK } from './mesh.ts'
import type { Scenario, Stage } from './play.ts'

const README: Scenario = {
  document: 'README.md',
  cwd: ROOT,
  steps: {
    'npm start': { until: /answer .*\n/ },
    'alias thundercloud="$PWD/node_modules/.bin/node --conditions=thundercloud-source $PWD/src/cli/main.ts"': {
      followedBy: 'thundercloud --version',
      prints: /^\d+\.\d+\.\d+\n$/,
    },
  },
}

const JOINING: Scenario = {
  document: 'docs/joining.md',
  env: {},
  replace: ({ mesh }) => ({
    '/dns4/seed.example.org/tcp/4980': `${mesh.multiaddr} ${ON_LOOPBACK}`,
    ADDRESS: mesh.stranger,
    '--listen /ip4/0.0.0.0/tcp/4990 --api 127.0.0.1:4991 --static MULTIADDR': `--static ${mesh.multiaddr} ${ON_LOOPBACK}`,
  }),
  steps: {
    'thundercloud init my-node --static /dns4/seed.example.org/tcp/4980': { prints: /thundercloud start my-node/ },
    'thundercloud doctor my-node': { prints: /ok +settings[\s\S]*ok +code store/ },
    'thundercloud start my-node': { until: /Ready/ },
    'thundercloud list': { prints: /my-service/, eventually: true },
    'thundercloud explain my-service': { prints: /FAIL +trust/ },
    'thundercloud peers': { prints: /12D3Koo/ },
    'thundercloud init second --listen /ip4/0.0.0.0/tcp/4990 --api 127.0.0.1:4991 --static MULTIADDR': {},
    'thundercloud start second': { until: /Ready/ },
    'thundercloud peers --dir second': { prints: /12D3Koo/, eventually: true },
    'thundercloud trust delegate ADDRESS --until 90d --dir second': { prints: /Published: \S+ vouches for/ },
  },
}

const POLICY: Scenario = {
  document: 'docs/policy.md',
  prepare({ mesh, cwd }) {
    cpSync(join(mesh.dir, 'runners/andromeda/config.json'), join(cwd, 'new.json'))
    cpSync(join(mesh.dir, '../my-service/service.json'), join(cwd, 's.json'))
  },
  steps: {
    'thundercloud policy show': { prints: /executors:/ },
    'thundercloud policy check new.json': { prints: /new\.json is right/ },
    'thundercloud policy test new.json --service s.json': { prints: /FAIL +trust/ },
    'thundercloud policy replay new.json --since 24h': { prints: /0 verdicts would change/ },
    'thundercloud policy apply new.json --yes': { prints: /Nothing would change/ },
    'thundercloud pool data': { prints: /No pool has data/ },
  },
}

const TRUST: Scenario = {
  document: 'docs/trust.md',
  replace: ({ mesh }) => ({ ADDRESS: mesh.stranger, 'bafy...': mesh.code }),
  steps: {
    'thundercloud trust delegate ADDRESS --until 90d': { prints: /Published: \S+ vouches for/ },
    'thundercloud trust tree': { prints: /root, depth 16/ },
    'thundercloud trust tree ADDRESS': { code: 0 },
    'thundercloud trust revoke ADDRESS': { prints: /Published/ },
    'thundercloud trust statements --code bafy... --lookup': {},
  },
}

const CODE: Scenario = {
  document: 'docs/code.md',
  replace: ({ mesh }) => ({ 'bafy...': mesh.code }),
  steps: {
    'thundercloud code ls': { prints: /my-service/ },
    'thundercloud code why bafy...': { prints: /It stays: a service here needs it/ },
    'thundercloud code get bafy... copy': { prints: /copy: .* files/ },
    'thundercloud code verify': { code: 0 },
    'thundercloud code gc --dry-run': { code: 0 },
  },
}

const MAINTENANCE: Scenario = {
  document: 'docs/maintenance.md',
  steps: {
    'thundercloud drain --deadline 10m': { prints: /Nothing runs here any more/ },
    'thundercloud undrain': { prints: /takes services again/ },
    'thundercloud pause': { prints: /begins no new run, and what runs goes on/ },
    'thundercloud resume': { prints: /begins runs again/ },
  },
}

const ALERTS: Scenario = {
  document: 'docs/alerts.md',
  steps: {
    'thundercloud alert test disk-low': { prints: /^Delivered in / },
    'thundercloud alert ls': { prints: /disk-low +command \/bin\/true +(ok|wrong) +(test|begun), delivered/ },
  },
}

const RUNNERS: Scenario = {
  document: 'docs/runners.md',
  env: {},
  replace: () => ({ 'node_modules/.bin/node': process.execPath }),
  steps: {
    'thundercloud runner new mine --dir my-node': { before: `thundercloud init my-node ${ON_LOOPBACK}` },
    'node_modules/.bin/node --test my-node/runners/mine/runner.test.js': { prints: /pass 3\n[\s\S]*fail 0\n/ },
  },
}

const PUBLISHING: Scenario = {
  document: 'docs/publishing.md',
  needs: () => needs('engine') || needs('bubblewrap'),
  replace: ({ mesh, port }) => ({
    ADDRESS: mesh.stranger,
    'hello --join /ip4/192.0.2.7/tcp/4980/p2p/12D3KooW...': `hello2 --network test --join ${mesh.multiaddr}`,
    ':8080': `:${port}`,
    'local 8080': `local ${port}`,
  }),
  steps: {
    'thundercloud service new hello --template web': {},
    'thundercloud publish hello --wait': { prints: /healthy or done on 1 of 1 wanted nodes/ },
    'thundercloud publish hello --join /ip4/192.0.2.7/tcp/4980/p2p/12D3KooW...': {
      before: 'cp -r hello hello2; sed -i s/hello/hello2/ hello2/service.json',
    },
    'thundercloud connect hello:http --local 8080': { until: /127\.0\.0\.1/ },
    'curl http://127.0.0.1:8080/': { prints: /Hello from/, eventually: true },
    'thundercloud access new hello ADDRESS --right logs --for 2h > hello.access': {
      followedBy: 'cat hello.access',
      prints: /\n[\w-]{200,700}\n$/,
    },
    'thundercloud status hello': { prints: /runs it, healthy/ },
    'thundercloud logs hello -f': { until: /listens on 127\.0\.0\.1:8080/, stop: true },
    'thundercloud update hello': {},
    'thundercloud update hello --replace': {},
    'thundercloud stop hello': { prints: /announced to all nodes/ },
  },
}

const HUBS: Scenario = {
  document: 'docs/hubs.md',
  needs: () => needs('bubblewrap') && needs('clamav'),
  replace: ({ mesh, cwd }) => ({
    'bafy...': mesh.code,
    ADDRESS: mesh.stranger,
    'attest hello': 'attest my-service',
    NAME: 'test',
    '/var/lib/clamav': join(cwd, 'signatures'),
  }),
  prepare({ cwd }: Stage) {
    mkdirSync(join(cwd, 'signatures'))
    writeFileSync(join(cwd, 'signatures', 'test.ndb'), `Test:0:*:${Buffer.from('THIS MARK').toString('hex')}\n`)
  },
  steps: {
    'thundercloud hub keygen': { prints: /hub\.pem/ },
    'thundercloud hub attest hello --safe --key hub.pem': { prints: /Published/ },
    'thundercloud hub attest bafy... --unsafe --severity high --report https://hub.example.org/7 --key hub.pem': {},
    'thundercloud hub freeze ADDRESS --chain btc --amount 10 --key hub.pem': {},
    'thundercloud hub keygen --bls --network NAME --out me.json': {},
    'thundercloud hub members a.public.json b.public.json c.public.json --threshold 2': {
      before:
        'mv me.public.json a.public.json; for n in b c; do thundercloud hub keygen --bls --network test --out $n.json; done',
    },
    'thundercloud hub attest hello --safe --hub hub.public.json --out draft.json': {},
    'thundercloud hub sign draft.json --key me.json': {},
    'thundercloud hub combine draft.json *.part --hub hub.public.json --publish': {
      before: 'for n in b c; do thundercloud hub sign draft.json --key $n.json; done',
      prints: /Published/,
    },
    'thundercloud hub watch my-hub': {
      before: `thundercloud init my-hub ${ON_LOOPBACK}`,
      until: /Ready/,
      stop: true,
    },
    'thundercloud hub watch my-hub --key hub.pem --database /var/lib/clamav --scanner clamav --scanner manifest': {
      until: /Ready/,
      stop: true,
    },
  },
}

export const SCENARIOS: readonly Scenario[] = [
  README,
  JOINING,
  POLICY,
  TRUST,
  CODE,
  MAINTENANCE,
  ALERTS,
  RUNNERS,
  PUBLISHING,
  HUBS,
]
