#!/usr/bin/env bash
# What a key server's figures are held against: nginx on the same machine at the same time, with the same kind of key and
# TLS 1.3. Prints its CPU time for a full handshake with one GET, and for a GET on a connection that stays open.
# docs/performance.md.
#
#   bench/nginx.sh [SECONDS]     for each of the two; 8 by itself
#
# Needs nginx, wrk and openssl, and leaves nothing behind. 77 if one of them is missing.
set -euo pipefail
export LC_ALL=C

case ${1-} in
  --help | -h) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit ;;
esac
readonly seconds=${1:-8} clients=500
PATH=$PATH:/usr/sbin
for program in nginx wrk openssl; do
  command -v "$program" >/dev/null || { printf 'nginx.sh: the program %s is missing\n' "$program" >&2; exit 77; }
done

folder=$(mktemp -d)
stop() {
  [[ ! -e $folder/pid ]] || kill "$(<"$folder/pid")" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
port=$((20000 + RANDOM % 20000))
openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2 \
  -keyout "$folder/key" -out "$folder/certificate" 2>/dev/null
{
  printf 'worker_processes 2;\npid %s/pid;\nerror_log %s/log;\n' "$folder" "$folder"
  printf 'events { worker_connections 4096; }\nhttp {\n  access_log off;\n  keepalive_requests 1000000000;\n'
  for kind in client_body proxy fastcgi uwsgi scgi; do printf '  %s_temp_path %s/%s;\n' "$kind" "$folder" "$kind"; done
  printf '  server {\n    listen 127.0.0.1:%s ssl backlog=2000;\n    ssl_protocols TLSv1.3;\n    ssl_session_tickets off;\n' "$port"
  printf '    ssl_certificate %s/certificate;\n    ssl_certificate_key %s/key;\n    location / { return 200 "ok"; }\n  }\n}\n' "$folder" "$folder"
} >"$folder/conf"
nginx -p "$folder" -c "$folder/conf"
until [[ -s $folder/pid ]]; do sleep 0.05; done

ticks() { # CPU time of the workers so far
  local sum=0 pid rest
  for pid in $(pgrep -P "$(<"$folder/pid")"); do
    rest=$(<"/proc/$pid/stat")
    read -r _ _ _ _ _ _ _ _ _ _ _ user system _ <<<"${rest##*) }"
    sum=$((sum + user + system))
  done
  echo "$sum"
}

measure() { # measure WHAT HEADER…: microseconds of CPU for each request
  local what=$1 before after count
  shift
  before=$(ticks)
  count=$(wrk -t1 -c"$clients" -d"${seconds}s" "$@" "https://127.0.0.1:$port/" | sed -n 's/^ *\([0-9]*\) requests in .*/\1/p')
  after=$(ticks)
  awk -v what="$what" -v ticks="$((after - before))" -v hz="$(getconf CLK_TCK)" -v count="$count" \
    'BEGIN { printf "%-40s %8.1f us\n", what, ticks / hz * 1e6 / count }'
}

measure 'nginx: full handshake and one GET' -H 'Connection: close'
measure 'nginx: GET on an open connection'
