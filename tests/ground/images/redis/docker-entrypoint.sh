#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Options or a configuration file alone mean redis-server, and root steps down, as in the official image.
set -e

if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
    set -- redis-server "$@"
fi
if [ "$1" = redis-server ]; then
    # The official image is compiled with protected mode off: the network of the project is the boundary.
    case " $* " in *" --protected-mode "*) ;; *) set -- "$@" --protected-mode no ;; esac
    if [ "$(id -u)" = 0 ]; then
        find . \! -user redis -exec chown redis '{}' +
        exec setpriv --reuid=redis --regid=redis --clear-groups --inh-caps=-all -- "$0" "$@"
    fi
fi
um="$(umask)"
[ "$um" != 0022 ] || umask 0077
exec "$@"
