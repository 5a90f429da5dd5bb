#!/bin/sh
# Dijalankan sekali oleh kontainer influxdb (2.7) setelah menyiapkan organisasi dan bucket pertama:
# membuat dua bucket lain dan token dengan hak sekecil-kecilnya: untuk pantau baca dan tulis ketiganya
# (config/secrets/influxdb), untuk Grafana baca saja (config/secrets/grafana.env); keduanya mode 0600.
set -eu

org=${DOCKER_INFLUXDB_INIT_ORG:?}
raw=${DOCKER_INFLUXDB_INIT_BUCKET:?}
secrets=${PANTAU_SECRETS:-/secrets}

# bucket_id NAME: the id of a bucket.
bucket_id() {
    influx bucket list --org "$org" --name "$1" --hide-headers | cut -f 1
}

influx bucket create --org "$org" --name "${raw}_1m" --retention 180d --shard-group-duration 7d
influx bucket create --org "$org" --name "${raw}_1h" --retention 1826d --shard-group-duration 90d

# token_for WHAT OPTION…: prints a new token; each OPTION (--read-bucket, --write-bucket) for all three.
token_for() {
    what=$1
    shift
    options=$*
    set --
    for name in "$raw" "${raw}_1m" "${raw}_1h"; do
        id=$(bucket_id "$name")
        [ -n "$id" ] || { echo "bucket $name tidak ada" >&2; exit 1; }
        for option in $options; do
            set -- "$@" "$option" "$id"
        done
    done
    answer=$(influx auth create --org "$org" --description "pantau: $what" --json "$@")
    token=$(printf '%s\n' "$answer" | sed -n 's/^[[:space:]]*"token":[[:space:]]*"\([^"]*\)".*/\1/p')
    [ -n "$token" ] || { echo "token untuk $what tidak dibuat" >&2; exit 1; }
    printf '%s\n' "$token"
}

umask 077
daemon=$(token_for daemon --read-bucket --write-bucket)
printf '%s\n' "$daemon" >"$secrets/influxdb"
grafana=$(token_for grafana --read-bucket)
printf 'INFLUXDB_TOKEN=%s\n' "$grafana" >"$secrets/grafana.env"
echo "token pantau dan Grafana ada di $secrets"
