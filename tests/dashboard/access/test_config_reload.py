"""The dashboard follows the configuration loaded by the daemon; a failed build changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from dashboard.app.following import AGAIN_S, LOOK_S, Application, Following
from dashboard.wsgi import Workshop
from monitor.core.errors import ConfigError
from monitor.settings import load, settings_snapshot
from monitor.settings.paths import LOADED_CONFIG_FILE
from tests.dashboard.dashboard_server import DashboardServer
from tests.dashboard.synthetic_history import quiet, shipped_network
from tests.waiting import eventually


class FakeBuilder:
    """A builder whose applications return their number."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.version = "a"
        self.broken = False
        self.built: list[str] = []

    def build(self) -> tuple[Application, str]:
        self.built.append(self.version)
        if self.broken:
            raise ConfigError("sites/x.toml:3: no")
        said = f"made of {self.version}".encode()

        def application(_environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]:
            start_response("200 OK", [])
            return [said]

        return application, self.version

    def following(self) -> Following:
        return Following(self.build, lambda: self.version, lambda: self.now_s)


def ask(following: Following) -> tuple[str, str]:
    told: list[str] = []
    body = b"".join(following({}, lambda status, headers: told.append(status)))
    return told[0][:3], body.decode()


def test_a_new_configuration_is_built_once_and_replaces_the_old_one() -> None:
    works = FakeBuilder()
    following = works.following()
    assert ask(following) == ("200", "made of a")
    works.version = "b"
    assert ask(following) == ("200", "made of a"), "not looked at each request"
    works.now_s += LOOK_S
    eventually(lambda: ask(following) == ("200", "made of b"))
    works.now_s += LOOK_S
    ask(following)
    assert works.built == ["a", "b"]


def test_a_failed_build_keeps_the_old_page_and_is_retried_later() -> None:
    works = FakeBuilder()
    following = works.following()
    works.version, works.broken = "b", True
    works.now_s += LOOK_S
    ask(following)
    eventually(lambda: works.built == ["a", "b"])
    works.now_s += LOOK_S
    assert ask(following) == ("200", "made of a")
    works.version, works.broken = "c", False

    def later() -> bool:
        works.now_s += LOOK_S
        return ask(following) == ("200", "made of c")

    eventually(later)
    assert works.built == ["a", "b", "c"]


def test_an_error_page_is_shown_until_the_first_build_succeeds() -> None:
    works = FakeBuilder()
    works.broken = True
    following = works.following()
    status, text = ask(following)
    assert status == "503"
    assert "sites/x.toml" not in text
    works.broken = False
    works.now_s += AGAIN_S
    eventually(lambda: ask(following) == ("200", "made of a"))


def test_a_stopped_daemon_does_not_change_the_page() -> None:
    works = FakeBuilder()
    following = works.following()
    works.version = ""
    works.now_s += LOOK_S
    assert ask(following) == ("200", "made of a")
    assert works.built == ["a"]


def test_a_restart_with_the_same_configuration_is_no_change(tmp_path: Any) -> None:
    served = DashboardServer(tmp_path / "work", quiet(shipped_network(), 1_795_505_267.0))
    try:
        workshop = Workshop({"PANTAU_CONFIG": str(served.config)})
        _, own = workshop.build()
        assert workshop.version() == ""
        settings = load(served.config, {}).settings
        assert settings is not None
        raw = orjson.dumps(settings_snapshot(settings), option=orjson.OPT_SORT_KEYS)
        (served.data / LOADED_CONFIG_FILE).write_bytes(raw)
        assert workshop.version() == own
    finally:
        served.close()
