# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML: a suite per file, a case per finding, so that test reports of CI systems show them."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from breakwater.render.text import details

TYPE_CHECKING = False
if TYPE_CHECKING:
    from breakwater.report import Item, Problem, Report


def render(report: Report) -> str:
    """Write the report as JUnit XML. A file without findings has one case that passes."""
    suites = [_suite(name, [item for item in report.items if item.file == name]) for name in _files(report)]
    suites.extend(_error(problem) for problem in report.problems)
    failures, errors = len(report.open_items()), len(report.problems)
    tests = sum(text.count("<testcase") for text in suites)
    head = f'<testsuites name="breakwater" tests="{tests}" failures="{failures}" errors="{errors}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _files(report: Report) -> list[str]:
    """Every judged file once, files that only ``include`` or ``extends`` brought in after the others."""
    return list(dict.fromkeys([*report.files, *(item.file for item in report.items)]))


def _suite(name: str, items: list[Item]) -> str:
    cases = [_case(item) for item in items] or [f'    <testcase classname={_attribute(name)} name="no findings"/>']
    failures = sum(1 for item in items if not item.finding.waived)
    skipped = len(items) - failures
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    head = f"  <testsuite name={_attribute(name)} {counts}>"
    return "\n".join([head, *cases, "  </testsuite>"])


def _case(item: Item) -> str:
    finding = item.finding
    name = " ".join(part for part in (finding.control, finding.service, finding.message) if part)
    line = f' line="{finding.line}"' if finding.line is not None else ""
    head = (
        f"    <testcase classname={_attribute(item.file)} name={_attribute(name)} file={_attribute(item.file)}{line}>"
    )
    text = "\n".join(f"{label}: {value}" for label, value in details(item))
    if finding.waived:
        return f"{head}\n      <skipped message={_attribute(text)}/>\n    </testcase>"
    attributes = f"type={_attribute(finding.severity)} message={_attribute(finding.message)}"
    failure = f"<failure {attributes}>{escape(_clean(text))}</failure>"
    return f"{head}\n      {failure}\n    </testcase>"


def _error(problem: Problem) -> str:
    name = _attribute(problem.file)
    return (
        f'  <testsuite name={name} tests="1" failures="0" errors="1" skipped="0">\n'
        f'    <testcase classname={name} name="not judged">\n'
        f'      <error type="not judged" message={_attribute(str(problem))}/>\n'
        "    </testcase>\n  </testsuite>"
    )


def _attribute(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def _clean(text: str) -> str:
    """Replace what XML 1.0 cannot hold: control characters and halves of surrogate pairs."""
    return "".join(
        character if (character >= " " and not "\ud800" <= character <= "\udfff") or character in "\t\n\r" else "?"
        for character in text
    )
