#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Build the Debian packages, install them with what they depend on into a fresh Debian, and run the quickstart's job there from
# the installed files; then the same check from `cmake --install` into another prefix. The Debian comes from the mirror that this
# machine's apt uses, is made in $TMPDIR and goes at the end. Exit 77 where that cannot be.
# Usage: debian.sh    (LHSM_BUILD_DIR: the build tree)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(cd "${LHSM_BUILD_DIR:-$top/build}" && pwd)
trap 'echo "failed: line $LINENO: $BASH_COMMAND"' ERR

skip() {
  echo "SKIP: $*"
  exit 77
}
say() { printf '== %s (%d s)\n' "$*" $SECONDS; }

# Namespaces of our own: whatever happens, no mount and no process is left.
if [ "${1:-}" != --inside ]; then
  [ "$(id -u)" -eq 0 ] || skip "only root can make a Debian"
  for program in debootstrap dpkg-shlibdeps cpack cmake unshare; do
    command -v $program > /dev/null || skip "there is no $program"
  done
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "${ID:-}:${VERSION_CODENAME:-}")
  [[ $release == debian:* ]] || skip "packages are for the release that they are built on, and this is no Debian"
  codename=${release#debian:}
  # shellcheck disable=SC2016 # apt's
  mirror=$(apt-get indextargets --format '$(RELEASE) $(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    awk -v codename="$codename" '$1 == codename && $2 == "Debian" { print $3; exit }')
  mirror=${mirror%/}
  [ -n "$mirror" ] || skip "apt has no source of $codename"
  unshare --mount --pid --fork true 2> /dev/null || skip "namespaces cannot be made here"
  work=$(mktemp -d "${TMPDIR:-/tmp}/lhsm-package.XXXXXX")
  trap 'rm -rf --one-file-system -- "$work"' EXIT
  /usr/lib/apt/apt-helper -o Acquire::http::Timeout=20 -o Acquire::Retries=1 \
    download-file "$mirror/dists/$codename/InRelease" "$work/InRelease" > /dev/null 2>&1 || skip "the mirror does not answer"
  code=0
  unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$0" --inside "$work" "$codename" "$mirror" ||
    code=$?
  exit $code
fi
work=$2 codename=$3 mirror=$4
root=$work/root

say "packages"
(cd "$work" && cpack --config "$build/CPackConfig.cmake" -B "$work/packages" > "$work/log" 2>&1) || {
  cat "$work/log"
  exit 1
}
package=$(echo "$work"/packages/lhsmtool-mpi_*.deb)
emulator=$(echo "$work"/packages/lhsmtool-mpi-emulator_*.deb)
dpkg-deb --field "$package" Package Version Depends
[ "$(dpkg-deb --field "$package" Package)" = lhsmtool-mpi ]
# Whoever has a Lustre of their own must get neither another library of it nor its commands.
for deb in "$package" "$emulator"; do
  ! dpkg-deb --contents "$deb" | grep -E ' \./usr/(s?bin/(lfs|lctl)|lib/(x86_64-linux-gnu/)?liblustreapi)' || exit 1
done

say "a clean $codename"
DPKG_FORCE=unsafe-io debootstrap --variant=minbase "$codename" "$root" "$mirror" > "$work/log" 2>&1 || {
  tail -n 20 "$work/log"
  exit 1
}
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mountpoint -q "$root/sys" || mount -t sysfs sysfs "$root/sys" # MPI looks at the processors
mountpoint -q "$root/dev/pts" || mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/throw-away"
apt-config dump | grep -E '^Acquire::(http|https)::Proxy ' > "$root/etc/apt/apt.conf.d/proxy" || true
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/packages"
cp "$package" "$emulator" "$root/packages"

inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }

say "apt-get install"
# attr and xxhash: by them the quickstart compares trees.
inside sh -c 'apt-get -q update && apt-get -q install -y --no-install-recommends /packages/*.deb attr xxhash' > "$work/log" 2>&1 || {
  tail -n 30 "$work/log"
  exit 1
}

say "what is installed"
inside lhsmtool_mpi --version
inside lhsmtool_posix --help > /dev/null
for file in usr/share/lhsmtool_mpi/jobs/restore.sbatch usr/lib/systemd/system/lhsmtool_mpi@.service etc/sysconfig/lhsmtool_mpi \
  usr/share/doc/lhsmtool-mpi/README.md usr/share/doc/lhsmtool-mpi/copyright usr/share/man/man1/lhsmtool_mpi-restore.1 \
  usr/share/man/man1/lhsmtool_mpi-archive.1 usr/share/bash-completion/completions/lhsmtool_mpi \
  usr/share/zsh/vendor-completions/_lhsmtool_mpi; do
  [ -s "$root/$file" ] || { echo "$file is not there" && exit 1; }
done
grep -q '^EnvironmentFile=/etc/sysconfig/lhsmtool_mpi-' "$root/usr/lib/systemd/system/lhsmtool_mpi@.service"
grep -q '^ExecStart=/usr/bin/lhsmtool_mpi ' "$root/usr/lib/systemd/system/lhsmtool_mpi@.service"
# shellcheck disable=SC2016 # dpkg's
inside dpkg-query -W -f '${Conffiles}' lhsmtool-mpi | grep ' /etc/sysconfig/lhsmtool_mpi ' > /dev/null

# check_there BIN: on a Lustre that was started by the emulator of the same installation.
check_there() {
  cat > "$root/check.sh" << 'SCRIPT'
set -eu
bin=$1
. /try/scripts/mpi-env.sh
cd "$(mktemp -d)"
mkdir archive
"$bin/lhsm_emulator" start lustre --max-requests 1000
eval "$("$bin/lhsm_emulator" env "$PWD/lustre")"
code=0
mpirun -n 2 "$bin/lhsmtool_mpi" check -p archive lustre || code=$?
echo content > lustre/file
lfs hsm_state lustre/file
"$bin/lhsm_emulator" stop lustre
exit $code
SCRIPT
  inside bash /check.sh "$1"
}
# Only scripts: the programs are those that were installed.
mkdir -p "$root/try/scripts" "$root/try/tests/e2e/lib"
cp "$top/scripts/quickstart" "$top/scripts/mpi-env.sh" "$root/try/scripts"
cp "$top/tests/e2e/lib/files.sh" "$root/try/tests/e2e/lib"

say "check"
check_there /usr/bin
say "the quickstart's job"
inside env LHSM_BUILD_DIR=/usr /try/scripts/quickstart --no-install --no-build --size 512 > "$work/log" 2>&1 || {
  tail -n 40 "$work/log"
  exit 1
}
tail -n 6 "$work/log"

say "removal"
inside sh -c 'dpkg --purge lhsmtool-mpi-emulator lhsmtool-mpi' > "$work/log" 2>&1
left=$(find "$root/usr" "$root/etc" -name '*lhsm*')
[ -z "$left" ] || { echo "left: $left" && exit 1; }

say "cmake --install into another prefix"
DESTDIR=$root cmake --install "$build" --prefix /opt/lhsm > "$work/log"
grep -q '^ExecStart=/opt/lhsm/bin/lhsmtool_mpi ' "$root/opt/lhsm/lib/systemd/system/lhsmtool_mpi@.service"
check_there /opt/lhsm/bin
say "done"
