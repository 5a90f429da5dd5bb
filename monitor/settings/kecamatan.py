"""The reference list of the 31 kecamatan: codes, names, points (settings/data)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_OFFICE = re.compile(r"^(kantor\s+)?(kecamatan|kec\.?|camat)\s+", re.IGNORECASE)
_NOT_A_LETTER = re.compile(r"[^a-z]+")


@dataclass(frozen=True, slots=True)
class Kecamatan:
    """lat, lon: WGS84, degrees, of the village that most likely has the office."""

    code: str
    name: str
    name_alt: str | None
    lat: float
    lon: float

    def is_called(self, name: str) -> bool:
        """Spaces, capitals, hyphens and "Kantor Kecamatan" before the name do not count."""
        return _bare(name) in {_bare(self.name), _bare(self.name_alt or self.name)}


def kecamatan_by_code() -> Mapping[str, Kecamatan]:
    """All 31, in the order of their codes."""
    text = files("monitor.settings").joinpath("data", "kecamatan.csv").read_text(encoding="utf-8")
    return {
        row["code"]: Kecamatan(
            code=row["code"],
            name=row["name"],
            name_alt=row["name_alt"] or None,
            lat=float(row["lat"]),
            lon=float(row["lon"]),
        )
        for row in csv.DictReader(text.splitlines())
    }


def _bare(name: str) -> str:
    return _NOT_A_LETTER.sub("", _OFFICE.sub("", name.strip()).casefold())
