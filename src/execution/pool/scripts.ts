import { GATEWAY_UID } from '../constants.ts'
import { SANDBOX_ETC } from '../host/bubblewrap.ts'

/** Where a pool's container has the node's folders, and a run its own. */
export const POOL_ROOT = '/thundercloud'
export const TOOLS = `${POOL_ROOT}/tools`
export const RUNS = `${POOL_ROOT}/runs`
export const LOGS = `${POOL_ROOT}/logs`
export const CODES = `${POOL_ROOT}/code`
/** What services keep, a folder each by name; in pools that have data. */
export const DATA = `${POOL_ROOT}/data`
/** As the shim of one run sees its own. */
export const RUN = `${POOL_ROOT}/run`
export const LOG = `${POOL_ROOT}/log`
/** What a run may write to, as it and its shim see it. */
export const WORK = '/work'
/** What it keeps, where the pool has data. */
export const KEPT = '/data'

/**
 * What programs that begin as root read before they are an ordinary user: what to load, and who is who. The node's, whatever
 * the image says.
 */
export const POOL_ETC: Readonly<Record<string, string>> = {
  'ld.so.preload': '',
  'nsswitch.conf': SANDBOX_ETC['nsswitch.conf'](),
  passwd: SANDBOX_ETC.passwd({ uid: GATEWAY_UID, hosts: [] }),
  group: SANDBOX_ETC.group({ uid: GATEWAY_UID, hosts: [] }),
}

/** Programs of this machine that make the namespaces of a run. The loader and the libraries come with them. */
export const TOOL_PROGRAMS = ['unshare', 'mount', 'setpriv', 'prlimit', 'timeout', 'env', 'sleep', 'ip', 'sh'] as const

/** A program of the node's machine, with its own loader: the image need not have the same C library, nor any. */
export function tool(tools: string, program: string): string[] {
  return [`${tools}/lib/ld`, '--library-path', `${tools}/lib`, `${tools}/bin/${program}`]
}

/** What the kernel takes away, for good: whatever comes after is an ordinary user. */
export function asUser(uid: number): string[] {
  const who = ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups']
  return [...who, '--ambient-caps=-all', '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--']
}

/** Calls a tool, `t`, or becomes it, `x`. Without `-i`, `mount` runs a helper of the image where there is one. */
const CALLS = `T=$1; shift
t() { p=$1; shift; "$T/lib/ld" --library-path "$T/lib" "$T/bin/$p" "$@"; }
x() { p=$1; shift; exec "$T/lib/ld" --library-path "$T/lib" "$T/bin/$p" "$@"; }
hide() { for d in "$@"; do t mount -i -t tmpfs -o ro,nosuid,nodev,noexec,size=4k none "$d" || exit 125; done; }
user() { u=$1; echo "--reuid $u --regid $u --clear-groups --ambient-caps=-all --inh-caps=-all --bounding-set=-all --no-new-privs --"; }
`

/**
 * In network, mount and IPC namespaces of the run's own, as the container's root, which reads nothing that an author wrote:
 * shows the run's folders and no other, begins the run beside it, and becomes the shim, as the run's user. The run waits
 * until the shim has taken the plan. /work is the shim's, too: it takes from there what a task left. Arguments: tools, run, log,
 * code, uid, options of /work, folder of /data or nothing, then those of INNER.
 */
export const ENTER = `${CALLS}run=$1 log=$2 code=$3 uid=$4 work=$5 data=$6; shift 6; umask 022
exec >/dev/null 2>>"${RUNS}/$run/keeper.log"
t mount -i --bind "${RUNS}/$run" ${RUN} && t mount -i --bind "${LOGS}/$log" ${LOG} &&
t mount -i -o bind,ro "${CODES}/$code" /code && t mount -i -t proc proc /proc && t mount -i -t tmpfs -o "$work" none /work &&
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start && t ip link set lo up || exit 125
[ -z "$data" ] || t mount -i --bind "${DATA}/$data" ${KEPT} || exit 125
[ ! -d ${DATA} ] || hide ${DATA}
hide ${RUNS} ${LOGS} ${CODES}
(
  t timeout -s KILL 60 "$T/lib/ld" --library-path "$T/lib" "$T/bin/sh" -c 'read -r go <${RUN}/go' || exit
  exec >${RUN}/out 4>${RUN}/err 3<>${RUN}/state 5<>${RUN}/ask 6<>${RUN}/checked; echo begun >&3
  t unshare --mount --pid --fork --kill-child -- "$T/lib/ld" --library-path "$T/lib" "$T/bin/sh" "$T/inner.sh" "$T" "$uid" "$@" 3>&-
  echo "end $?" >&3
) </dev/null &
x setpriv $(user "$uid") "$T/lib/ld" --library-path "$T/lib" "$T/bin/node" @SHIM@ ${RUN}
`

/**
 * The first process of the run's own process namespace: what it writes, what it sees of the system, its limits, and then
 * its command, with no privilege left. Arguments: tools, uid, options of /tmp and /dev/shm, processes, open files,
 * folder, then the environment and what INIT is called with.
 */
export const INNER = `${CALLS}uid=$1 tmp=$2 shm=$3 pids=$4 files=$5 dir=$6; shift 6; umask 022
exec 2>&4 4>&-
# where the pool has no memory left, the run goes before its shim and what keeps the pool
echo 500 > /proc/self/oom_score_adj
t mount -i -t proc -o ro,nosuid,nodev,noexec proc /proc || exit 125
for name in hosts passwd group; do
  [ ! -e /etc/$name ] || t mount -i -o bind,ro ${RUN}/etc/$name /etc/$name || exit 125
done
t mount -i -t tmpfs -o "$tmp" none /tmp && t mount -i -t tmpfs -o "$shm" none /dev/shm || exit 125
hide ${RUN} ${LOG} /dev/mqueue
cd "$dir" || exit 125
set -- "$T/lib/ld" --library-path "$T/lib" "$T/bin/env" -i -- "$@"
x setpriv $(user "$uid") "$T/lib/ld" --library-path "$T/lib" "$T/bin/prlimit" --core=0 --nofile="$files" --nproc="$pids" -- "$@"
`

/** Waits for the command, and reaps; beside it what answers checks, as its own child, so that the command does not see it. */
export const INIT = `T=$1 check=$2; shift 2
if [ -n "$check" ]; then
  ( (
    while read -r seconds <&5; do
      ( eval "exec \\"$T/lib/ld\\" --library-path \\"$T/lib\\" \\"$T/bin/timeout\\" -s KILL $seconds $check" ) 5<&- 6>&- </dev/null >/dev/null 2>&1
      echo $? >&6
    done
  ) & )
fi
# a shell says itself how its command was ended
exec 5<&- 6>&- 7>&2 2>/dev/null
"$@" 2>&7 7>&-
exit $?
`
