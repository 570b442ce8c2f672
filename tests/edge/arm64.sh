#!/bin/sh
# Installs the wheel into an emulated arm64 Debian and compares its entities with those of this machine.
#
#   sudo tests/edge/arm64.sh [FOLDER]
#
# Needs Linux on x86-64, root, python3 with venv, and: apt-get install debootstrap qemu-user-static
# binfmt-support. Makes FOLDER (default: build/arm64), about 1.5 GB, and leaves it there for the next time,
# when only the package itself is installed anew. SUITE names another Debian than bookworm.
# Emulation says nothing about speed.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$here/build/arm64}
suite=${SUITE:-bookworm}
root=$folder/root
mkdir -p "$folder"

for program in debootstrap qemu-aarch64-static; do
    command -v "$program" > /dev/null || {
        echo "$program is missing; run: apt-get install debootstrap qemu-user-static binfmt-support"
        exit 1
    }
done
if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    update-binfmts --enable qemu-aarch64
fi

if [ ! -x "$root/usr/bin/python3" ]; then
    rm -rf "$root"
    debootstrap --arch=arm64 --variant=minbase --include=python3-venv "$suite" "$root"
fi

[ -x "$folder/here/bin/pip" ] || python3 -m venv "$folder/here"
"$folder/here/bin/pip" install --quiet build
rm -rf "$folder/dist"
# By way of the source archive: a build folder of an earlier day would put removed files into the wheel.
"$folder/here/bin/python" -m build --outdir "$folder/dist" "$here" > /dev/null
"$folder/here/bin/pip" install --quiet --only-binary :all: "$folder"/dist/*.whl
"$folder/here/bin/pip" install --quiet --no-deps --force-reinstall "$folder"/dist/*.whl
"$folder/here/bin/python" "$here/tests/edge/labels.py" "$here/assets/parallel/test.jsonl" "$folder/labels.json"

rm -rf "$root/work"
mkdir "$root/work"
# Brought from outside, because a server may not wait for an emulated handshake. pip inside takes no
# other wheels, and finds the same ones or stops.
version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
platforms=
for glibc in 2_36 2_35 2_34 2_31 2_28 2_27 2_26 2_24 2_17; do
    platforms="$platforms --platform manylinux_${glibc}_aarch64"
done
# shellcheck disable=SC2086
"$folder/here/bin/pip" download --quiet --only-binary :all: --python-version "$version" $platforms \
    --platform manylinux2014_aarch64 --dest "$root/work/wheels" "$folder"/dist/*.whl
cp "$folder/labels.json" "$here/tests/edge/labels.py" "$here/assets/parallel/test.jsonl" "$root/work/"
# ONNX Runtime reads the weights by way of /proc. It must not find /sys: that tells of the processor of
# this machine, and ONNX Runtime 1.31 and 1.32 end with a segmentation fault under qemu 7.2.
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
chroot "$root" sh -eu -c '
    cd /work
    [ -x /venv/bin/pip ] || python3 -m venv /venv
    pip="/venv/bin/pip install --quiet --no-index --find-links wheels --only-binary :all:"
    $pip spacy_optical
    $pip --no-deps --force-reinstall spacy_optical
    echo "$(/venv/bin/pip freeze | wc -l) packages from wheels, this one included"
    /venv/bin/python labels.py test.jsonl labels.json --compare
'
