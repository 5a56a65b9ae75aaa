#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Binds to the container's address unless told otherwise; a wildcard needs an address to tell the others.
set -eu

: "${BIND_ON_IP:=$(hostname -i | awk '{print $1}')}"
export BIND_ON_IP
if [ "${BIND_ON_IP}" = "0.0.0.0" ] || [ "${BIND_ON_IP}" = "::0" ]; then
    : "${TEMPORAL_BROADCAST_ADDRESS:=$(hostname -i | awk '{print $1}')}"
    export TEMPORAL_BROADCAST_ADDRESS
fi

exec temporal-server start
