#!/usr/bin/env bash
# Measures the key server: builds it as a release is built, runs every job of sotto-loadgen against it, each on a fresh
# server in a network namespace of its own, and prints one table. docs/performance.md.
#
#   bench/server.sh [--quick] [--out DIR] [--bin DIR] [JOB…]
#
#   --quick     small sizes, in a minute or two: whether everything works, not how fast it is
#   --out DIR   where the jobs' JSON and the servers' logs go; build/release/server-bench by itself
#   --bin DIR   sotto-keyserver and sotto-loadgen from there; nothing is built
#   JOB…        some of: idle-small idle-large login relay-1 relay-4 relay-most relay-half mailbox prekeys presence apart online online-500 storm
#               relay-killed mailbox-killed hostile; the two before the last kill the server (SIGKILL) under way
#
# Exit code 1 if a job failed, lost something or had something twice; a missed target is only said. 77 if no network
# namespace can be made here.
set -euo pipefail
export LC_ALL=C
script=$(realpath "${BASH_SOURCE[0]}")
cd "$(dirname "$script")/.."

readonly all_jobs=(idle-small idle-large login relay-1 relay-4 relay-most relay-half mailbox prekeys presence apart online online-500 storm relay-killed mailbox-killed hostile)
readonly listen=127.0.0.1:7443 descriptors_of_its_own=100 patience=60

fail() { printf 'server.sh: %s\n' "$*" >&2; exit 1; }

# ----------------------------------------------------------------------------------------------------------- one server

# A server is a folder: data/, address, pid, log. It knows its programs by SOTTO_BENCH_BIN.

set_option() { # set_option FILE NAME VALUE: where the configuration has that name
  sed -i "s|^$2 = .*|$2 = $3|" "$1"
}

start() { # start FOLDER: runs the server that is set up there; returns when it is ready
  local folder=$1 waited=0
  # In a session of its own, with nothing of ours open: it outlives whoever starts it.
  setsid "$SOTTO_BENCH_BIN/sotto-keyserver" --log-level warn run --data "$folder/data" \
    </dev/null >"$folder/said" 2>>"$folder/log" &
  echo $! >"$folder/pid"
  disown # bash would speak of it when it is killed
  until grep -q ready "$folder/said"; do
    kill -0 "$(<"$folder/pid")" 2>/dev/null || fail "the server didn't start: $(tail -n 3 "$folder/log")"
    ((waited++ < patience * 20)) || fail "the server is not ready after $patience seconds"
    sleep 0.05
  done
}

stop() { # stop FOLDER [SIGNAL]: SIGTERM by itself, and waits for the end
  local pid waited=0
  [[ -e $1/pid ]] || return 0
  pid=$(<"$1/pid")
  rm "$1/pid"
  kill -s "${2:-TERM}" "$pid" 2>/dev/null || return 0
  # One that nobody waits for is a zombie, and gone all the same once its last thread has let go of its files.
  local threads
  while [[ -e /proc/$pid/stat ]]; do
    threads=("/proc/$pid/task"/*)
    ! { ((${#threads[@]} <= 1)) && grep -q ') Z' "/proc/$pid/stat" 2>/dev/null; } || break
    ((waited++ < patience * 20)) || fail "the server doesn't stop"
    sleep 0.05
  done
}

set_up() { # set_up FOLDER JOB: a new server, open to everybody, for as many as there may be descriptors
  rm -rf "$1"
  mkdir -p "$1"
  "$SOTTO_BENCH_BIN/sotto-keyserver" init --data "$1/data" --listen "$listen" --registration open >"$1/said" 2>"$1/init" ||
    fail "the server can't be set up: $(<"$1/init")"
  grep -o 'sotto://[^[:space:]]*' "$1/said" | head -n 1 >"$1/address"
  set_option "$1/data/sotto-keyserver.toml" max_connections "$(($(ulimit -n) - descriptors_of_its_own))"
  # A topic is for one contact, and by itself only a few may watch it. This job is about many.
  [[ $2 != presence ]] || set_option "$1/data/sotto-keyserver.toml" presence_watchers 1000
  start "$1"
}

# ---------------------------------------------------------------------------------------------------------- the jobs

figure() { # figure NAME FIELD: of a job's JSON, which has a line for each; empty if it isn't there or null
  [[ ! -e $out/$1.json ]] || sed -n "s/^  \"$2\": \([0-9.e+-]*\),\{0,1\}$/\1/p" "$out/$1.json"
}

arguments() { # arguments JOB: what the load generator is called with; full sizes, or small ones
  local rate
  if [[ -n $quick ]]; then
    case $1 in
      idle-small) echo idle --clients 200 --hold 3 ;;
      idle-large) echo idle --clients 500 --hold 3 ;;
      login) echo login --count 500 ;;
      relay-1) echo relay --pairs 20 --window 1 --seconds 2 ;;
      relay-4) echo relay --pairs 20 --window 4 --seconds 2 ;;
      relay-most) echo relay --pairs 50 --window 16 --seconds 2 --threads 2 ;;
      relay-half) rate=$(half_rate) && echo relay --pairs 50 --window 16 --seconds 2 --threads 2 --rate "$rate" ;;
      mailbox) echo mailbox --devices 20 --messages 100 ;;
      prekeys) echo prekeys --fetches 500 ;;
      presence) echo presence --watchers 100 --changes 20 ;;
      apart) echo presence --watchers 50 --changes 100 --apart ;;
      online) echo online --people 60 --contacts 20 --rounds 5 ;;
      online-500) echo online --people 120 --contacts 100 --rounds 5 ;;
      storm) echo storm --clients 200 ;;
      relay-killed) echo relay --pairs 20 --window 4 --seconds 6 --rate 2000 --restart-after 2 ;;
      mailbox-killed) echo mailbox --devices 20 --messages 2000 --restart-after 1 ;;
      hostile) echo hostile --pairs 100 --rate 1000 --quiet 5 --seconds 10 ;;
    esac
    return
  fi
  case $1 in
    idle-small) echo idle --clients 10000 --hold 60 ;;
    idle-large) echo idle --clients 19000 --hold 30 ;;
    login) echo login --count 20000 ;;
    relay-1) echo relay --pairs 500 --window 1 --seconds 20 ;;
    relay-4) echo relay --pairs 500 --window 4 --seconds 20 ;;
    relay-most) echo relay --pairs 500 --window 32 --seconds 20 --threads 2 ;;
    relay-half) rate=$(half_rate) && echo relay --pairs 500 --window 32 --seconds 20 --threads 2 --rate "$rate" ;;
    mailbox) echo mailbox --devices 1000 --messages 100 ;;
    prekeys) echo prekeys --fetches 20000 ;;
    presence) echo presence --watchers 1000 --changes 200 ;;
    apart) echo presence --watchers 1000 --changes 5000 --apart ;;
    online) echo online --people 2000 --contacts 50 ;;
    online-500) echo online --people 600 --contacts 500 ;;
    storm) echo storm --clients 10000 ;;
    relay-killed) echo relay --pairs 500 --window 4 --seconds 20 --restart-after 5 ;;
    mailbox-killed) echo mailbox --devices 1000 --messages 200 --restart-after 3 ;;
    hostile) echo hostile --pairs 100 --rate 1000 --quiet 60 --seconds 600 ;;
  esac
}

half_rate() {
  local most
  most=$(figure relay-most rate_per_s)
  [[ -n $most ]] || fail "relay-half needs relay-most before it"
  awk -v most="$most" 'BEGIN { printf "%d", most / 2 }'
}

run_job() { # run_job NAME
  local name=$1 folder=$out/$1.server line
  line=$(arguments "$name") || return 1
  local words=()
  read -ra words <<<"$line"
  case $name in
    storm) words+=(--restart "exec bash '$script' --restart '$folder' TERM") ;;
    *-killed) words+=(--restart "exec bash '$script' --restart '$folder' KILL") ;;
  esac
  set_up "$folder" "$name"
  printf 'server.sh: %s\n' "$line" >&2
  local status=0
  "$SOTTO_BENCH_BIN/sotto-loadgen" "${words[@]}" --server "$(<"$folder/address")" --server-pid "$(<"$folder/pid")" \
    --json >"$out/$name.json" || status=$?
  stop "$folder"
  [[ ! -s $folder/log ]] || { printf 'server.sh: the server said: '; tail -n 3 "$folder/log"; } >&2
  return "$status"
}

# ---------------------------------------------------------------------------------------------------------- the table

row() { # row WHAT NAME VALUE TARGET UNIT: one line; VALUE may be empty
  local verdict='' value=${3:-'-'} target='-'
  [[ -e $out/$2.json ]] || return 0
  if [[ -n $3 && -n $4 ]]; then
    verdict=$(awk -v v="$3" -v t="$4" 'BEGIN { limit = substr(t, 3); ok = substr(t, 1, 2) == "<=" ? v + 0 <= limit + 0 : v + 0 >= limit + 0
      print ok ? "met" : "missed" }')
  fi
  [[ -z $4 ]] || target="${4:0:2} ${4:2}"
  [[ -z $3 ]] || value=$(awk -v v="$3" 'BEGIN { printf v < 100 ? "%.2f" : "%.0f", v }')
  printf '| %-61s | %9s | %-9s | %-6s | %-6s | %4s | %10s |\n' "$1" "$value" "$target" "$5" "$verdict" \
    "$(figure "$2" lost)" "$(figure "$2" duplicated)"
}

scaled() { # scaled VALUE FACTOR: empty stays empty
  [[ -z $1 ]] || awk -v v="$1" -v f="$2" 'BEGIN { print v * f }'
}

table() {
  local storm login ratio=
  printf '| %-61s | %9s | %-9s | %-6s | %-6s | %4s | %10s |\n' job ours target unit '' lost duplicated
  printf '|---|---|---|---|---|---|---|\n'
  local clients
  for name in idle-small idle-large; do
    clients=$(figure $name count)
    row "memory of a client that has logged in and rests, $clients" $name "$(scaled "$(figure $name server_pss_bytes_per_client)" 0.001)" '<=19' KB
  done
  row "idle CPU, $(figure idle-small count) clients" idle-small "$(figure idle-small server_idle_cpu_ms_per_s)" '<=1' ms/s
  row 'CPU of a login, full handshake included' login "$(scaled "$(figure login server_cpu_us_per_op)" 0.001)" '<=0.50' ms
  row 'CPU of a relayed message of 300 B, window 1' relay-1 "$(figure relay-1 server_cpu_us_per_op)" '<=26' us
  row 'CPU of a relayed message of 300 B, window 4' relay-4 "$(figure relay-4 server_cpu_us_per_op)" '<=16' us
  row 'highest relay rate beside the load generator' relay-most "$(figure relay-most rate_per_s)" '>=45000' 1/s
  row 'latency at half of that rate, p50' relay-half "$(scaled "$(figure relay-half p50_us)" 0.001)" '<=0.15' ms
  row 'latency at half of that rate, p99' relay-half "$(scaled "$(figure relay-half p99_us)" 0.001)" '<=1.5' ms
  row 'CPU of an envelope that is stored and later read' mailbox "$(figure mailbox server_cpu_us_per_op)" '<=60' us
  row 'CPU of a fetch of one-time prekeys' prekeys "$(figure prekeys server_cpu_us_per_op)" '' us
  row 'CPU of a notification, one status to 1,000 watchers' presence "$(figure presence server_cpu_us_per_op)" '<=8' us
  row 'one status to 1,000 watchers, until the last is told, p50' presence "$(scaled "$(figure presence p50_us)" 0.001)" '<=15' ms
  row 'a change until its watcher is told, 2,000 connections, p99' apart "$(scaled "$(figure apart p99_us)" 0.001)" '<=50' ms
  row 'memory of what one publishes and watches, 50 contacts' online "$(scaled "$(figure online server_pss_bytes_per_client)" 0.001)" '<=10' KB
  row 'CPU of one with 50 contacts who comes, handshake included' online "$(scaled "$(figure online server_cpu_us_per_op)" 0.001)" '' ms
  row 'CPU of one with 500 contacts who comes, handshake included' online-500 "$(scaled "$(figure online-500 server_cpu_us_per_op)" 0.001)" '<=5' ms
  storm=$(figure storm server_cpu_us_per_op) login=$(figure login server_cpu_us_per_op)
  [[ -z $storm || -z $login ]] || ratio=$(awk -v s="$storm" -v l="$login" 'BEGIN { print s / l }')
  row "restart under $(figure storm count) clients: CPU of one that is back, in logins" storm "$ratio" '<=1.5' ''
  row 'restart: until the last one is back' storm "$(figure storm wall_s)" '' s
  row 'killed under relay: messages done' relay-killed "$(figure relay-killed count)" '' ''
  row 'killed under mailbox: envelopes done' mailbox-killed "$(figure mailbox-killed count)" '' ''
  row 'beside hostile peers: p99, in quiet ones' hostile "$(figure hostile p99_ratio)" '<=3' ''
  row 'server memory at its peak beside hostile peers' hostile "$(scaled "$(figure hostile server_pss_peak_bytes)" 0.000001)" '' MB
}

# --------------------------------------------------------------------------------------------------------------- main

if [[ ${1-} == --restart ]]; then # --restart FOLDER SIGNAL, for sotto-loadgen
  stop "$2" "$3"
  start "$2"
  cat "$2/pid"
  exit
fi

inside=
quick=
out=build/release/server-bench
bin=
jobs=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --inside) inside=yes ;;
    --quick) quick=yes ;;
    --out) out=$2; shift ;;
    --bin) bin=$2; shift ;;
    --help | -h) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$script"; exit ;;
    *) [[ " ${all_jobs[*]} " == *" $1 "* ]] || fail "there is no job $1; see --help"; jobs+=("$1") ;;
  esac
  shift
done
[[ ${#jobs[@]} -gt 0 ]] || jobs=("${all_jobs[@]}")
mkdir -p "$out"
out=$(realpath "$out")

if [[ -z $inside ]]; then
  if [[ -z $bin ]]; then
    scripts/bootstrap --bench
    cmake --preset release -Wno-dev -DSOTTO_BENCH=ON >/dev/null
    cmake --build --preset release --target sotto-keyserver sotto-loadgen
    bin=build/release/bin
  fi
  command -v ip >/dev/null || fail "the program 'ip' is needed (package iproute2)"
  apart=(unshare --net)
  "${apart[@]}" true 2>/dev/null || apart=(unshare --net --map-root-user)
  "${apart[@]}" true 2>/dev/null ||
    { printf 'server.sh: no network namespace can be made here: run this as root\n' >&2; exit 77; }
  exec "${apart[@]}" bash "$script" --inside ${quick:+--quick} --out "$out" --bin "$(realpath "$bin")" "${jobs[@]}"
fi

export SOTTO_BENCH_BIN=$bin
ip link set lo up || fail "this namespace's loopback can't be brought up"
[[ -n $quick || $(ulimit -Hn) -ge 20000 ]] || fail "20000 descriptors are needed, and $(ulimit -Hn) are allowed: raise the hard limit, or take --quick"
ulimit -Sn "$(ulimit -Hn)"
failed=()
current=
trap '[[ -z $current ]] || stop "$out/$current.server"' EXIT
for current in "${jobs[@]}"; do
  rm -f "$out/$current.json"
  run_job "$current" || failed+=("$current")
done
current=
table | tee "$out/table.md"
[[ ${#failed[@]} -eq 0 ]] || fail "not clean: ${failed[*]}; see $out"
