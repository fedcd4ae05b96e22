# env.sh: the PATH with what scripts/setup installed. Sourced from the root of the tree.
PATH=$PWD/.cache/venv/bin:$PATH:/usr/sbin:/sbin
export PATH GOFLAGS="${GOFLAGS:-} -buildvcs=false" GOTOOLCHAIN=local PYTHONDONTWRITEBYTECODE=1
