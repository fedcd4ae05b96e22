#!/bin/sh
# data.sh OUT.raw [MIB]: a data disk as a database would write it: no file system, a first line that names it, then numbers in a tenth of it and
# nothing in the rest. Default 128 MiB. (virt-v2v mounts and trims every file system that it finds: the bytes of one would not
# survive a conversion unchanged, though its files do.)
set -eu
out=$1 megabytes=${2:-128}
rm -f "$out"
{
    echo "gantry data disk"
    seq 1 $((megabytes * 16000))
} > "$out"
truncate -s "${megabytes}M" "$out"
