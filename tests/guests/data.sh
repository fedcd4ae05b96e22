#!/bin/sh
# data.sh OUT.raw [MIB]: a data disk: an ext4 file system with the label "data" and files in it, the rest never written. Default 128 MiB.
set -eu
out=$1 megabytes=${2:-128}
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seq 1 $((megabytes * 16000)) > "$work/numbers" # a tenth of it, that nothing on the way could take for zeros
echo "This disk came from vSphere." > "$work/README"
rm -f "$out"
truncate -s "${megabytes}M" "$out"
mke2fs -q -F -t ext4 -L data -U 6d616972-6967-7264-6174-612d64697363 -E root_owner=0:0,lazy_itable_init=1 -d "$work" "$out"
