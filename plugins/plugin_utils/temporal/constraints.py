# Copyright: Breakwater contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The constraints that the server knows, and the values that they take."""

from __future__ import annotations

import re
from typing import Any

#: Names by their lower case, as the loader compares them.
NAMES = {
    name.lower(): name
    for name in (
        "namespace",
        "namespaceID",
        "taskQueueName",
        "taskType",
        "historyTaskType",
        "shardID",
        "destination",
        "chasmTaskType",
    )
}

#: The first release whose loader knows a constraint; those that are not here are older than the table of keys.
SINCE = {"chasmTaskType": (1, 31)}

# temporal.server.api.enums.v1.TaskType, with the first release that has the name where that is not the oldest.
_HISTORY_TASKS = [
    "ReplicationHistory",
    "ReplicationSyncActivity",
    "TransferWorkflowTask",
    "TransferActivityTask",
    "TransferCloseExecution",
    "TransferCancelExecution",
    "TransferStartChildExecution",
    "TransferSignalExecution",
    "TransferResetWorkflow",
    "WorkflowTaskTimeout",
    "ActivityTimeout",
    "UserTimer",
    "WorkflowRunTimeout",
    "DeleteHistoryEvent",
    "ActivityRetryTimer",
    "WorkflowBackoffTimer",
    "VisibilityStartExecution",
    "VisibilityUpsertExecution",
    "VisibilityCloseExecution",
    "VisibilityDeleteExecution",
    "TransferDeleteExecution",
    "ReplicationSyncWorkflowState",
    "ArchivalArchiveExecution",
    "StateMachineOutbound",
    "StateMachineTimer",
    "WorkflowExecutionTimeout",
    "ReplicationSyncHsm",
    "ReplicationSyncVersionedTransition",
]
_LATER_HISTORY_TASKS = {
    "Chasm": (1, 28),
    "ChasmPure": (1, 28),
    "ReplicationDeleteExecution": (1, 31),
    "TimeskippingTimer": (1, 32),
    "WorkerCommands": (1, 32),
}


def _long(prefix: str, name: str) -> str:
    """The long name of a value of an enumeration: PREFIX_USER_TIMER for UserTimer."""
    return prefix + re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


#: Task types by their short and long names and by number (temporal.api.enums.v1.TaskQueueType).
TASK_TYPES = {
    name: number
    for number, short in enumerate(("Workflow", "Activity", "Nexus"), 1)
    for name in (short, _long("TASK_QUEUE_TYPE_", short))
}
#: History task types by short and long name, with the release that brought them.
HISTORY_TASK_TYPES = {
    name: since
    for short, since in {**dict.fromkeys(_HISTORY_TASKS, (0, 0)), **_LATER_HISTORY_TASKS}.items()
    for name in (short, _long("TASK_TYPE_", short))
}


def problem(name: str, value: Any, release: tuple[int, int]) -> str:
    """Say what a constraint must be, empty when it is that (convertYamlConstraints, yaml_loader.go, v1.31.2).

    Args:
        name: the constraint's proper name.
        value: plain Python data.
        release: minor version of the server.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if name == "taskType":
        fits = value in TASK_TYPES if isinstance(value, str) else whole and value > 0
        return "" if fits else "write Workflow, Activity or Nexus"
    if name == "historyTaskType":
        fits = whole or (isinstance(value, str) and HISTORY_TASK_TYPES.get(value, (9, 9)) <= release)
        return "" if fits else "write the name of a history task type, such as ActivityTimeout"
    if name == "shardID":
        return "" if whole else "write a whole number"
    return "" if isinstance(value, str) else "write text, in quotes where it looks like a number"
