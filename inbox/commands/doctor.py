"""Proves an installation end to end and prints the fix for what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inbox.commands.base import Subcommand, Write
from inbox.doctor.database import check_database
from inbox.doctor.layer import check_layer
from inbox.doctor.site import check_security, check_socket, check_static, check_urls
from inbox.ports import Finding, doctor_checks

logger = logging.getLogger(__name__)

Check = Callable[[], Iterable[Finding]]
OWN_CHECKS: tuple[Check, ...] = (
    check_database,
    check_layer,
    check_urls,
    check_static,
    check_socket,
    check_security,
)


class Doctor(Subcommand):
    """`frontdesk doctor`; other apps add findings through `doctor_checks`."""

    name = "doctor"
    help = "Examines the installation and prints what to do about each fault."
    failure = "Something needs attention; see above."

    def run(self, options: Mapping[str, Any], write: Write) -> int:
        faults = 0
        for check in (*OWN_CHECKS, *doctor_checks()):
            for finding in examine(check):
                write(render(finding))
                faults += not finding.ok
        write("All is well." if not faults else f"{faults} to fix.")
        return 1 if faults else 0


def examine(check: Check) -> list[Finding]:
    """The check's findings; one that breaks is itself a finding, so that the others still run."""
    findings: list[Finding] = []
    try:
        findings.extend(check())
    except Exception as error:
        logger.debug("A doctor check failed.", exc_info=True)
        name = getattr(check, "__name__", type(check).__name__)
        findings.append(
            Finding(
                ok=False,
                title=name,
                detail=f"The check itself failed: {type(error).__name__} {error}".strip(),
                fix="Fix what stands above first, then ask again.",
            )
        )
    return findings


def render(finding: Finding) -> str:
    """One line for what is well, two for what is not."""
    mark = "ok  " if finding.ok else "FIX "
    line = f"{mark} {finding.title}: {finding.detail}".rstrip(": ")
    return line if finding.ok or not finding.fix else f"{line}\n       {finding.fix}"
