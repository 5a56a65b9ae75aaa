#!/bin/bash
set -eu -o pipefail
exec ./ui-server --env docker start
