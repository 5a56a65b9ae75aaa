#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu -o pipefail
exec ./ui-server --env docker start
