"""A file as a revision of git has it, without a checkout. Only git's plumbing is run, and nothing is written."""

from __future__ import annotations

import os
import subprocess

from archcalc.errors import ArchcalcError, Problem, clipped, nearest
from archcalc.layers.settings import message_text
from archcalc.trees import MAX_BYTES

PREFIX = "git:"
SECONDS = 60
MOST_BYTES = 64 * MAX_BYTES
LFS = b"version https://git-lfs.github.com/spec/"


class AbsentError(Exception):
    """The baseline has no such file."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def blob(revision: str, path: str) -> bytes:
    """The bytes of the file at ``path`` in a revision.

    AbsentError if the revision has no such file. ArchcalcError if there is no git, repository or revision.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if not revision or revision.startswith("-") or any(sign in revision for sign in ":\0\n "):
        raise ArchcalcError(
            f"--baseline: expected git:REVISION such as git:main, got {message_text(PREFIX + revision)}"
        )
    inside, said = _git(folder, "rev-parse", "--show-prefix")
    if inside is None:
        raise ArchcalcError(Problem(f"is in no git repository: {said}", path))
    if _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{tree}}")[0] is None:
        raise ArchcalcError(_unknown(folder, revision))
    name = f"{revision}:./{os.path.basename(path)}"
    size, _ = _git(folder, "cat-file", "-s", name)
    if size is None:
        raise AbsentError(_absent(folder, revision, path))
    if int(size) > MOST_BYTES:
        raise ArchcalcError(Problem(f"is larger than {MOST_BYTES:,} bytes in {revision}", path))
    content, said = _git(folder, "cat-file", "blob", name)
    if content is None:
        raise ArchcalcError(Problem(f"cannot be read in {revision}: {said}", path))
    if content.startswith(LFS):
        raise ArchcalcError(
            Problem(f"is a pointer of Git LFS in {revision}; name a file of the baseline instead", path)
        )
    return content


def _git(folder: str, *arguments: str) -> tuple[bytes | None, str]:
    """The output of git; None if git refuses, with what it says."""
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError:
        raise ArchcalcError("--baseline git:REVISION needs the program git, which is not installed") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArchcalcError(f"git cannot be run: {clipped(str(error), 200)}") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return None, clipped(lines[0].removeprefix("fatal: "), 200) if lines else "git gives no reason"
    return done.stdout, ""


def _unknown(folder: str, revision: str) -> str:
    """The sentence for a revision that does not exist. A shallow clone, as of CI, often lacks other branches."""
    refs = (_git(folder, "for-each-ref", "--format=%(refname:short)")[0] or b"").decode("utf-8", "replace").split()
    close = next((ref for ref in refs if ref.endswith(f"/{revision}")), None) or nearest(revision, refs)
    text = f"--baseline: git has no revision {message_text(revision)}"
    if close:
        return f"{text}; did you mean git:{close}?"
    shallow, _ = _git(folder, "rev-parse", "--is-shallow-repository")
    if shallow is not None and shallow.strip() == b"true":
        return f"{text}: the clone is shallow; fetch the revision first, with git fetch origin {revision}"
    return f"{text}; branches and tags: {', '.join(refs[:12]) or 'none'}"


def _absent(folder: str, revision: str, path: str) -> Problem:
    """The sentence for a file that a revision lacks, with the nearest file in its folder."""
    files = (_git(folder, "ls-tree", "--name-only", "-z", revision, "./")[0] or b"").decode("utf-8", "replace")
    names = [name for name in (one.rsplit("/", 1)[-1] for one in files.split("\0")) if name]
    close = nearest(os.path.basename(path), names)
    return Problem(f"is not in {revision}" + (f", which has {close} there" if close else ""), path)
