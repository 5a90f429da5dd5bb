"""Reference list of the 31 kecamatan: code, names, coordinates (from settings/data)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_PREFIX = re.compile(r"^(kantor\s+)?(kecamatan|kec\.?|camat)\s+", re.IGNORECASE)
_NOT_A_LETTER = re.compile(r"[^a-z]+")


@dataclass(frozen=True, slots=True)
class Kecamatan:
    """lat, lon: WGS84 degrees of the village that most likely has the office."""

    code: str
    name: str
    name_alt: str | None
    lat: float
    lon: float

    def has_name(self, name: str) -> bool:
        """Compare without spaces, case, hyphens and a leading "Kantor Kecamatan"."""
        return _normalized(name) in {
            _normalized(self.name),
            _normalized(self.name_alt or self.name),
        }


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


def _normalized(name: str) -> str:
    return _NOT_A_LETTER.sub("", _PREFIX.sub("", name.strip()).casefold())
