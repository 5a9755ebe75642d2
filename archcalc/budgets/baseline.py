"""The networks of a baseline: of a revision of git, of a file, or of a folder of files with the same names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from archcalc.budgets.git import PREFIX, AbsentError, blob
from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.language.expand import network_of
from archcalc.language.family import Family
from archcalc.language.zoo import file_and_name, is_path, read_file
from archcalc.letters import MOST_LETTERS, NETWORK_SIGNS, as_name
from archcalc.network import Network


class Baseline:
    """Where the older networks are: ``git:REVISION``, a file or a folder. Files of git live until ``close``."""

    def __init__(self, given: str, allow_missing: bool = False) -> None:
        self.given, self.allow_missing = given, allow_missing
        self.absent: list[Problem] = []
        """The files that the baseline lacks."""
        self.folder: TemporaryDirectory[str] | None = None
        self._read: dict[tuple[str, Any], Family] = {}

    def __enter__(self) -> Baseline:
        return self

    def __exit__(self, *_: object) -> None:
        if self.folder is not None:
            self.folder.cleanup()

    def of(self, network: Network, settings: Mapping[str, Any], input: Any) -> Network | None:
        """The older network of the same name; the only one of its file, if this one is too. None: there is none.

        ArchcalcError if the older file cannot be read.
        """
        if not os.path.isfile(network.file):
            raise ArchcalcError(f"--baseline compares networks of files, and {network.full_name} has no file")
        try:
            family = self._family(network.file, input)
        except AbsentError as error:
            self.absent.append(error.problem)
            return None
        name = network.name
        if name not in family.networks:
            if len(family.networks) > 1 or name != _stem(network.file):
                return None
            name = next(iter(family.networks))
        return network_of(Network, family, name, dict(settings), input)

    def _family(self, path: str, input: Any) -> Family:
        key = path, repr(input)
        if key not in self._read:
            self._read[key] = self._of_git(path, input) if self.given.startswith(PREFIX) else self._of_file(path, input)
        return self._read[key]

    def _of_file(self, path: str, input: Any) -> Family:
        older = self.given
        if os.path.isdir(older):
            older = os.path.join(older, os.path.basename(path))
            if not os.path.exists(older):
                raise AbsentError(Problem(f"is not in the baseline: {older} does not exist", path))
        elif not os.path.exists(older) and file_and_name(older)[1]:
            raise ArchcalcError(f"--baseline takes a whole file: leave out :{file_and_name(older)[1]}")
        elif not os.path.exists(older) and not is_path(older):
            raise ArchcalcError(
                f"--baseline: {clipped(older, 60)} does not exist; did you mean git:{clipped(older, 60)}?"
            )
        return read_file(older, input, self.allow_missing)

    def _of_git(self, path: str, input: Any) -> Family:
        revision = self.given.removeprefix(PREFIX)
        content, file = blob(revision, path), f"{revision}:{path}"
        if self.folder is None:
            self.folder = TemporaryDirectory(prefix="archcalc-")
        place = mkdtemp(dir=self.folder.name)
        older = os.path.join(place, os.path.basename(path))  # readers of other formats need a file of this name
        with open(older, "wb") as written:
            written.write(content)
        try:
            return read_file(older, input, self.allow_missing)
        except ArchcalcError as error:
            raise ArchcalcError(
                [one._replace(file=file if one.file == older else one.file) for one in error.problems]
            ) from None


def _stem(path: str) -> str:
    return as_name(os.path.splitext(os.path.basename(path))[0], MOST_LETTERS, NETWORK_SIGNS)
