#!/usr/bin/env bash
# The hooks of pre-commit: runs `session-kms check` on each file that pre-commit names behind the options.
#
#   pre-commit.sh policy|template OPTION… FILE…
set -euo pipefail

usage() {
  echo "session-kms hook: $1" >&2
  exit 2
}

kind=${1:-}
[ "$kind" = policy ] || [ "$kind" = template ] || usage "the entry of the hook ends in policy or template"
shift
program=${SESSION_KMS:-session-kms}
command -v "$program" > /dev/null || usage "there is no program $program; install session-kms (docs/pipelines.md), or name it in SESSION_KMS"

# All options but these have a value, so whatever else stands alone is a file.
options=()
files=()
while [ $# -gt 0 ]; do
  case $1 in
    --no-discover-users | --no-discover-nodes | --list-policies | --verbose | -v | --*=*) options+=("$1") ;;
    --)
      shift
      files+=("$@")
      break
      ;;
    -*)
      [ $# -gt 1 ] || usage "option $1 has no value"
      options+=("$1" "$2")
      shift
      ;;
    *) files+=("$1") ;;
  esac
  shift
done
[ ${#files[@]} -gt 0 ] || usage "no file is named"

status=0
for file in "${files[@]}"; do
  result=0
  "$program" check "--$kind=$file" ${options[@]+"${options[@]}"} || result=$?
  # The worst result of all files: 2, bad input, stands above 1, somebody is locked out.
  [ "$result" -le "$status" ] || status=$result
done
exit "$status"
