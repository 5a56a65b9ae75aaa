#!/bin/sh
# Creates the namespace "default" once the server answers.
set -eu

tries=0
until temporal operator cluster health >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "the server did not answer within 60 tries" >&2; exit 1; }
    sleep 1
done
temporal operator namespace describe -n default >/dev/null 2>&1 ||
    temporal operator namespace create -n default --retention 3d
