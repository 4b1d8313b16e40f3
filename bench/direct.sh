#!/usr/bin/env bash
# What direct sessions cost and how fast they come about, on this machine: docs/performance.md.
#
#   bench/direct.sh          paths beside bare TCP and libnice's own stream, then two chats from the first message to the path
#
# Through routers it is the laboratory that measures: tests/network/pairs prints it for each pair.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1-} in
  '') ;;
  *) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; [[ $1 == --help || $1 == -h ]]; exit ;;
esac
scripts/bootstrap --bench
cmake --preset release -Wno-dev -DSOTTO_BENCH=ON >/dev/null
cmake --build --preset release --target sotto-bench-direct sotto sotto-keyserver >/dev/null
bin=$PWD/build/release/bin
"$bin/sotto-bench-direct"

# -------------------------------------------------------------------------------------------- from the first message to the path

work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
cd "$work"
echo "a passphrase for measuring" >passphrase
chmod 600 passphrase
port=$((20000 + RANDOM % 20000))
"$bin/sotto-keyserver" init --data server --listen "127.0.0.1:$port" --registration open >said 2>&1
link=$(grep -o 'sotto://[^ ]*' said | head -n 1)
"$bin/sotto-keyserver" --log-level warn run --data server >ready &
pids+=($!)
until grep -q ready ready; do sleep 0.05; done
sotto() { "$bin/sotto" --home "$1" --passphrase-file passphrase "${@:2}"; }
for who in a b; do sotto "$who" init --server "$link" --user "$who-bench" --kdf-memory 8 --kdf-passes 1 >/dev/null; done
sotto b contact add "$(sotto a invite | grep -o 'sotto://[^ ]*' | head -n 1)" --name a >/dev/null
until sotto a contact list | grep confirmed >/dev/null; do
  for who in a b; do sotto "$who" receive >/dev/null; done
done
sotto a contact set b-bench --direct on >/dev/null
sotto b contact set a --direct on >/dev/null
took=()
for round in 1 2 3 4 5 6 7; do
  mkfifo "to-a$round" "to-b$round"
  sotto a chat --plain b-bench <"to-a$round" >"a$round" 2>/dev/null &
  first=$!
  sotto b chat --plain a <"to-b$round" >"b$round" 2>/dev/null &
  second=$!
  exec 5>"to-a$round" 6>"to-b$round"
  until grep -q 'is online' "a$round" && grep -q 'is online' "b$round"; do sleep 0.05; done
  sleep 0.5
  begun=$(date +%s%3N)
  echo "message $round" >&5
  until grep -q 'direct now' "a$round"; do sleep 0.005; done
  took+=($(($(date +%s%3N) - begun)))
  echo /quit >&5
  echo /quit >&6
  exec 5>&- 6>&-
  wait "$first" "$second"
done
printf '| from the first message to the path, same machine, %d chats | | median %s ms (%s to %s) | |\n' "${#took[@]}" \
  "$(printf '%s\n' "${took[@]}" | sort -n | sed -n 4p)" "$(printf '%s\n' "${took[@]}" | sort -n | head -n 1)" \
  "$(printf '%s\n' "${took[@]}" | sort -n | tail -n 1)"
