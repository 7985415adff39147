import { findProgram } from '../../process/index.ts'
import { ext4Bytes } from '../constants.ts'

/** Where a root node's runs see their files: a folder that every user may enter, and in it a file system of each run's own. */
export const SANDBOX_ROOT = '/run/thundercloud-box'

/** What a run's sandbox holds. Paths inside the sandbox are absolute and begin with the sandbox's own. */
export type SandboxMount =
  | {
      readonly kind: 'bind'
      readonly from: string
      readonly to: string
      readonly file?: boolean
      readonly write?: boolean
    }
  | ({ readonly kind: 'tmpfs'; readonly to: string; readonly mode: string } & FolderLimits)
  /** in the sandbox itself, for what is mounted later */
  | { readonly kind: 'folder'; readonly to: string; readonly uid: number }
  /** on the disk, where the kernel can hold it there; else in memory */
  | ({ readonly kind: 'disk'; readonly to: string; readonly mode: string; readonly image: string } & FolderLimits)

/** What the kernel holds a folder to, and whose it is. */
export type FolderLimits = { readonly bytes: number; readonly inodes: number; readonly uid: number }

export type SandboxRootInit = {
  readonly root: string
  readonly mounts: readonly SandboxMount[]
  /** the file that holds `mountTable(mounts)` */
  readonly table: string
  /** control groups that everything begins in */
  readonly join: readonly string[]
  /** the user that everything is from then on; undefined: the node's own, in a user namespace */
  readonly uid: number | undefined
  /** What is mounted in the sandbox later is seen by the sandboxes in it. */
  readonly shared?: boolean
}

/**
 * In a mount namespace of its own: makes the sandbox and what is in it. Then it gives up what it could, so that whatever
 * comes after is an ordinary user.
 */
const SCRIPT = `PATH=/usr/bin:/bin:/usr/sbin:/sbin
root=$1; table=$2; shift 2; umask 022
mount -t tmpfs -o mode=0711,nosuid,nodev,size=1m,nr_inodes=128 tmpfs "$root" || exit 125
while [ "$1" != -- ]; do
  case $1 in
    join) echo 0 > "$2" || exit 125; shift 2;;
    file) [ -d "\${2%/*}" ] || mkdir -p "\${2%/*}" && : > "$2" || exit 125; shift 2;;
    folder) mkdir -m 0755 "$2" && chown "$3:$3" "$2" || exit 125; shift 3;;
    share) mount --make-shared "$root" || exit 125; shift 1;;
    table) mount -a -T "$table" || exit 125; shift 1;;
    disk)
      mkdir -m 0755 "$2" || exit 125
      truncate -s "$4" "$3" &&
      mkfs.ext4 -q -F -N "$5" -m 0 -O ^has_journal,^resize_inode -E "root_owner=$6:$6,lazy_itable_init=1" "$3" &&
      mount -o loop,nosuid,nodev "$3" "$2" && rmdir "$2/lost+found" && chmod "$7" "$2" ||
      mount -t tmpfs -o "nosuid,nodev,size=$8,nr_inodes=$5,mode=$7,uid=$6,gid=$6" tmpfs "$2" || exit 125
      shift 8;;
    *) exit 125;;
  esac
done
shift
umask 077
exec -c "$@"`

/** Programs that this needs, by the package that has them. */
export const SANDBOX_ROOT_TOOLS: Readonly<Record<string, readonly string[]>> = {
  'util-linux': ['unshare', 'setpriv', 'prlimit', 'mount'],
  bash: ['bash'],
}

/** The command that makes the sandbox and then becomes `command` as the run's user. */
export function sandboxRootCommand(
  init: SandboxRootInit,
  command: readonly string[],
): { program: string; args: string[] } {
  const { root, mounts, table, join, uid, shared = false } = init
  const steps = [
    ...join.flatMap((file) => ['join', file]),
    ...mounts.flatMap((mount) => (mount.kind === 'bind' && mount.file ? ['file', mount.to] : [])),
    ...mounts.flatMap((mount) => (mount.kind === 'folder' ? ['folder', mount.to, `${mount.uid}`] : [])),
    ...(mounts.some(({ kind }) => kind !== 'disk' && kind !== 'folder') ? ['table'] : []),
    ...mounts.flatMap((mount) => (mount.kind === 'disk' ? diskStep(mount) : [])),
    ...(shared ? ['share'] : []),
  ]
  const namespaces =
    uid === undefined ? ['-U', '-m', '--map-current-user', '--keep-caps'] : ['-m', '--propagation', 'private']
  return {
    program: programOf('unshare'),
    args: [
      ...namespaces,
      '--',
      programOf('bash'),
      '-p',
      '-c',
      SCRIPT,
      'sh',
      root,
      table,
      ...steps,
      '--',
      ...asUser(uid, command),
    ],
  }
}

/** `command` with no privilege left, and no way to gain one. */
export function asUser(uid: number | undefined, command: readonly string[]): string[] {
  const who = uid === undefined ? [] : ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups']
  const caps = ['--ambient-caps=-all', '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs']
  return [programOf('setpriv'), ...who, ...caps, '--', ...command]
}

/** As mount(8) reads it with -a. */
export function mountTable(mounts: readonly SandboxMount[]): string {
  return mounts.map(lineOf).filter(Boolean).join('')
}

function lineOf(mount: SandboxMount): string {
  const to = escaped(mount.to)
  if (mount.kind === 'disk' || mount.kind === 'folder') return ''
  if (mount.kind === 'tmpfs') {
    const { bytes, inodes, mode, uid } = mount
    const limits = `size=${Math.max(4096, bytes)},nr_inodes=${inodes},mode=${mode},uid=${uid},gid=${uid}`
    return `tmpfs ${to} tmpfs nosuid,nodev,${limits},X-mount.mkdir=0755 0 0\n`
  }
  const made = mount.file ? '' : ',X-mount.mkdir=0755'
  return `${escaped(mount.from)} ${to} none bind,nosuid,nodev${mount.write ? '' : ',ro'}${made} 0 0\n`
}

function diskStep({ to, image, bytes, inodes, uid, mode }: Extract<SandboxMount, { kind: 'disk' }>): string[] {
  return ['disk', to, image, `${ext4Bytes(bytes)}`, `${inodes}`, `${uid}`, mode, `${bytes}`]
}

function escaped(path: string): string {
  return path.replaceAll(/[\\\s#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

function programOf(name: string): string {
  return findProgram(name) ?? `/usr/bin/${name}`
}
