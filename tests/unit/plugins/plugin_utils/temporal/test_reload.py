# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.breakwater.stack.plugins.plugin_utils.temporal.reload import Verdict, judge

TAKEN = '{"level":"info","msg":"Updated dynamic config"}'
REASON = '{"level":"error","msg":"dynamic config error","error":"unknown constraint type \\"x\\""}'
REFUSED = '{"level":"error","msg":"Unable to update dynamic config.","error":"loading dynamic config failed: 1 errors"}'


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize(
    ("log", "taken", "refusal"),
    [
        (TAKEN, True, ""),
        (f"{REASON}\n{REFUSED}", False, 'unknown constraint type "x"'),
        (REFUSED, False, "its log does not say why"),
        # The server reads the file again after it was refused.
        (f"{REASON}\n{REFUSED}\n{TAKEN}", True, ""),
        ("ERROR dynamic config error: bad\nERROR Unable to update dynamic config.", False, "bad"),
    ],
)
def test_what_the_server_says_counts_at_any_time(log: str, taken: bool, refusal: str, late: bool) -> None:
    verdict = judge(f"other\n{log}\nother\n", late)
    assert (verdict.taken, verdict.refusal) == (taken, refusal)
    assert bool(verdict.proof) == taken


def test_a_server_that_says_nothing_is_waited_for() -> None:
    assert judge("other\n", late=False) == Verdict(False)
    silent = judge("", late=True)
    assert silent.taken
    assert silent.proof.endswith("does not complain")
