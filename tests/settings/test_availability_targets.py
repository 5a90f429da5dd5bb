"""The availability target of a link. Mistakes in [sla]: problems.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.availability_target import AgreedBy
from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    load_valid,
    write_config,
)

OF_A = 'provider = "Penyedia A"\n'
KIND = "[sla.kinds.fibre]\nsla_pct = 99.6\n"
PROVIDER = '[[sla.providers]]\nname = "Penyedia A"\nsla_pct = 99.7\n'


@pytest.mark.parametrize(
    ("monitor", "link", "ratio", "agreed"),
    [
        ("", OF_A, 0.995, AgreedBy.BUILT_IN),
        (KIND, OF_A, 0.996, AgreedBy.KIND),
        (KIND + PROVIDER, OF_A, 0.997, AgreedBy.PROVIDER),
        (KIND + PROVIDER, OF_A + "sla_pct = 99.9\n", 0.999, AgreedBy.LINK),
        ("", "sla_pct = 99\n", 0.99, AgreedBy.LINK),
        (KIND.replace("fibre", "vsat"), OF_A, 0.995, AgreedBy.BUILT_IN),
    ],
)
def test_the_order_of_precedence_is_link_provider_kind_built_in(
    tmp_path: Path, monitor: str, link: str, ratio: float, agreed: AgreedBy
) -> None:
    sites = {"anjatan": ANJATAN + link}
    found = load_valid(write_config(tmp_path, monitor=MONITOR + monitor, sites=sites))
    target = found.network.links()[0].aim
    assert target is not None
    assert (round(target.ratio, 9), target.agreed) == (ratio, agreed)
