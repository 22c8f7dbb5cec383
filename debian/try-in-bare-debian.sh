#!/bin/sh
# try-in-bare-debian.sh [FOLDER]: builds the packages in a bare Debian 12 that has nothing but what debian/control asks for,
# installs them in another one, and runs debian/tests there, having seen them fail before. Both lie in FOLDER (default: a new one
# below /tmp), which stays; FOLDER/base is made once. Needs root, debootstrap and the network; takes five minutes or more. lintian
# judges the packages where it is installed. The build is one without tests (nocheck), unless DEB_BUILD_OPTIONS is set, if only to
# nothing.
set -eu
cd "$(dirname "$0")/.."
folder=$(realpath "${1:-$(mktemp -d /tmp/ropepp-debian-XXXXXX)}")
options=${DEB_BUILD_OPTIONS-nocheck}
profiles=$(echo "$options" | grep -ow nocheck || true)

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }
inside() { # FOLDER COMMAND...
  where=$1
  shift
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root \
    DEB_BUILD_OPTIONS="$options parallel=$(nproc)" DEB_BUILD_PROFILES="$profiles" chroot "$where" "$@"
}
fresh() { # NAME: a copy of the base
  rm -rf --one-file-system "${folder:?}/$1"
  cp -a "$folder/base" "$folder/$1"
}
source_to() { # FOLDER: what git knows of, or would
  mkdir -p "$1"
  git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$1"
}

mkdir -p "$folder"
if [ ! -d "$folder/base" ]; then
  say "a bare Debian 12, to $folder/base"
  debootstrap --variant=minbase bookworm "$folder/making" >"$folder/debootstrap.log"
  mv "$folder/making" "$folder/base"
fi
inside "$folder/base" apt-get update -q

say "building"
fresh builder
source_to "$folder/builder/build/ropepp"
inside "$folder/builder" sh -ec 'cd /build/ropepp
  apt-get build-dep -q -y --no-install-recommends ./ >/dev/null
  dpkg-buildpackage -us -uc -b'
if command -v lintian >/dev/null; then
  say "lintian"
  lintian --allow-root --fail-on error "$folder"/builder/build/*.changes
fi

say "installing"
fresh bare
source_to "$folder/bare/source"
for test in programs library kernels; do
  if inside "$folder/bare" sh -c "cd /source && debian/tests/$test" >/dev/null 2>&1; then
    say "$test passes where nothing is installed"
    exit 1
  fi
done
cp "$folder"/builder/build/*.deb "$folder/bare/"
rm -f "$folder"/bare/*dbgsym*.deb
inside "$folder/bare" sh -c 'apt-get install -q -y /ropepp_*.deb'
inside "$folder/bare" sh -c 'cd /source && debian/tests/programs'
inside "$folder/bare" sh -c 'apt-get install -q -y --no-install-recommends /*.deb build-essential pkgconf python3-numpy'
inside "$folder/bare" sh -ec 'cd /source; debian/tests/library; debian/tests/kernels'
inside "$folder/bare" sh -ec 'apt-get purge -q -y ropepp libropepp0 libropepp-dev; ! find /usr /etc -name "*ropepp*" | grep .'
say "the packages of $folder/builder/build install, run and go on a bare Debian 12"
