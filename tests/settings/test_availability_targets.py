"""Which availability a link should reach: its own, its provider's, its kind's, else built in."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.core.availability_target import AgreedBy, AvailabilityTarget
from tests.settings.config_fixtures import (
    ANJATAN,
    MONITOR,
    load_config,
    only_problem,
    short_text,
    write_config,
)

OF_A = 'provider = "Penyedia A"\n'
KIND = "[sla.kinds.fibre]\nsla_pct = 99.6\n"
PROVIDER = '[[sla.providers]]\nname = "Penyedia A"\nsla_pct = 99.7\n'


def aim(tmp_path: Path, monitor: str, link: str = "") -> AvailabilityTarget | None:
    found = load_config(
        write_config(tmp_path, monitor=MONITOR + monitor, sites={"anjatan": ANJATAN + link})
    )
    assert found.errors == ()
    assert found.settings is not None
    (only_link,) = found.settings.network.links()
    return only_link.aim


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
def test_a_link_outranks_its_provider_outranks_its_kind_outranks_what_is_built_in(
    tmp_path: Path, monitor: str, link: str, ratio: float, agreed: AgreedBy
) -> None:
    found = aim(tmp_path, monitor, link)
    assert found is not None
    assert (round(found.ratio, 9), found.agreed) == (ratio, agreed)


@pytest.mark.parametrize(
    ("monitor", "link", "expected"),
    [
        (
            "",
            "sla_pct = 0.995\n",
            'anjatan.toml:9: link "utama": sla_pct = 0.995 is too small: the least is 50 — write '
            "the availability in a calendar month that was agreed, in percent, for example "
            "sla_pct = 99.5",
        ),
        (
            "[sla.kinds.fibre]\nsla_pct = 101\n",
            "",
            "monitor.toml:6: [sla.kinds.fibre] sla_pct = 101 is too large: the most is 100 — ",
        ),
        (
            PROVIDER.replace("99.7", '"99,7"'),
            OF_A,
            'monitor.toml:7: provider "Penyedia A": sla_pct = "99,7" is not a number — ',
        ),
        ("[sla.kinds.fiber]\nsla_pct = 99\n", "", "did you mean [sla.kinds.fibre]?"),
        (
            PROVIDER + PROVIDER,
            OF_A,
            'monitor.toml:9: the provider "Penyedia A" stands at monitor.toml:6 already — keep',
        ),
    ],
)
def test_a_wrong_target_is_told_with_its_line_and_how_to_mend_it(
    tmp_path: Path, monitor: str, link: str, expected: str
) -> None:
    config = write_config(tmp_path, monitor=MONITOR + monitor, sites={"anjatan": ANJATAN + link})
    assert expected in only_problem(load_config(config).errors)


def test_an_agreement_with_a_provider_that_no_link_has_is_a_warning(tmp_path: Path) -> None:
    wrong = PROVIDER.replace("Penyedia A", "Penyedja A")
    for number, (link, mend) in enumerate(
        (
            (OF_A, 'did you mean "Penyedia A"?'),
            ("", "remove it, or write the provider at its links"),
        )
    ):
        place = tmp_path / str(number)
        config = write_config(place, monitor=MONITOR + wrong, sites={"anjatan": ANJATAN + link})
        told = [short_text(each) for each in load_config(config).warnings]
        assert any(
            'monitor.toml:6: no link has the provider "Penyedja A" — ' + mend in each
            for each in told
        ), told
