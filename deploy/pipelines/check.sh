#!/usr/bin/env bash
# Checks a key policy of a repository in a pipeline: prints the report, and writes the findings as SARIF.
#
# The variables are those of docs/pipelines.md. The job of gitlab.yml has these lines too.
set -euo pipefail

usage() {
  echo "session-kms: $1" >&2
  exit 2
}

program=session-kms
if [ -n "${SESSION_KMS_ARCHIVE:-}" ]; then
  [ -n "${SESSION_KMS_SHA256:-}" ] || usage "SESSION_KMS_ARCHIVE needs SESSION_KMS_SHA256, the sum of the archive in SHA256SUMS"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  case $SESSION_KMS_ARCHIVE in
    *://*) curl --fail --silent --show-error --location --output "$folder/archive.tar.gz" "$SESSION_KMS_ARCHIVE" ;;
    *) cp "$SESSION_KMS_ARCHIVE" "$folder/archive.tar.gz" ;;
  esac
  echo "$SESSION_KMS_SHA256  $folder/archive.tar.gz" | sha256sum --check --quiet -
  tar -xzf "$folder/archive.tar.gz" -C "$folder"
  program=$(find "$folder" -type f -name session-kms -print -quit)
fi
command -v "$program" > /dev/null || usage "there is no program session-kms; give SESSION_KMS_ARCHIVE and SESSION_KMS_SHA256"

options=()
add() {
  if [ -n "$2" ]; then options+=("--$1=$2"); fi
}
# An option for each word of a text. The ARN of a role may hold * and ?, which must stay as they are.
add_each() {
  local words word
  read -r -d '' -a words <<< "$2" || true
  for word in ${words[@]+"${words[@]}"}; do options+=("--$1=$word"); done
}
add policy "${SESSION_KMS_POLICY:-}"
add template "${SESSION_KMS_TEMPLATE:-}"
add logical-id "${SESSION_KMS_LOGICAL_ID:-}"
add plan "${SESSION_KMS_PLAN:-}"
add address "${SESSION_KMS_ADDRESS:-}"
add key "${SESSION_KMS_KEY:-}"
add account-id "${SESSION_KMS_ACCOUNT_ID:-}"
add region "${SESSION_KMS_REGION:-}"
add preflight "${SESSION_KMS_PREFLIGHT:-}"
add_each parameter "${SESSION_KMS_PARAMETERS:-}"
add_each user "${SESSION_KMS_USERS:-}"
add_each node "${SESSION_KMS_NODES:-}"
add_each account "${SESSION_KMS_ACCOUNTS:-}"
add_each exempt "${SESSION_KMS_EXEMPT:-}"
case " ${options[*]-}" in
  *" --policy="* | *" --template="* | *" --plan="*) ;;
  *) usage "name what to check: SESSION_KMS_POLICY, SESSION_KMS_TEMPLATE or SESSION_KMS_PLAN" ;;
esac

status=0
"$program" check "${options[@]}" || status=$?
# Without a report there are no findings to write.
if [ "$status" -le 1 ]; then
  "$program" check "${options[@]}" --format sarif --output "${SESSION_KMS_SARIF:-session-kms.sarif}" || [ $? -eq 1 ]
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    "$program" check "${options[@]}" --format markdown >> "$GITHUB_STEP_SUMMARY" || [ $? -eq 1 ]
  fi
fi
exit "$status"
