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
    debootstrap --arch=arm64 --variant=minbase --include=python3-venv,ca-certificates "$suite" "$root"
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
cp "$folder"/dist/*.whl "$folder/labels.json" "$here/tests/edge/labels.py" "$here/assets/parallel/test.jsonl" "$root/work/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# This machine may trust a mirror that a new Debian does not know.
cp /etc/ssl/certs/ca-certificates.crt "$root/work/"
# ONNX Runtime asks both about the processor.
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/sys" || mount -t sysfs -o ro sysfs "$root/sys"
trap 'umount "$root/proc" "$root/sys"' EXIT
chroot "$root" sh -eu -c '
    cd /work
    export PIP_CERT=/work/ca-certificates.crt
    [ -x /venv/bin/pip ] || python3 -m venv /venv
    /venv/bin/pip install --quiet --only-binary :all: *.whl
    /venv/bin/pip install --quiet --no-deps --force-reinstall *.whl
    echo "$(/venv/bin/pip freeze | wc -l) packages from wheels, this one included"
    /venv/bin/python labels.py test.jsonl labels.json --compare
'
