"""AlertingState: overlays of what people did, in one configuration and the next."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.alerting.alerting_state import WINDOW_RETENTION_S, AlertingState
from monitor.core.alerting.model import ActionKind, IncidentAction, MaintenanceWindow
from monitor.core.alerting.settings import AlertSettings
from monitor.core.model import Incident, Scope, State
from tests.core.detection.scenario import network

T0 = 1_764_000_000.0
BEFORE = network({"a/utama": ("pop",), "b/utama": ()}, {"pop": ()})
NODE = Incident(
    1, Scope.NODE, "pop", State.DOWN, T0, T0 + 5, "silence", affected=("a/utama", "a/utama")
)


def acknowledged(incident: int) -> IncidentAction:
    return IncidentAction(incident, ActionKind.ACKNOWLEDGE, "p", T0, until_s=T0 + 600)


def window(number: int, *targets: str, start: float = 0.0, end: float = 600.0) -> MaintenanceWindow:
    return MaintenanceWindow(targets, T0 + start, T0 + end, "p", "x", id=number)


def test_an_acknowledged_node_shows_on_itself_and_on_what_it_takes_along() -> None:
    alerting_state = AlertingState(AlertSettings(), BEFORE)
    alerting_state.add_action(acknowledged(1))
    assert alerting_state.overlays([NODE], T0) == {
        "pop": ("acknowledged",),
        "a/utama": ("acknowledged",),
    }
    assert alerting_state.overlays([], T0) == {}


def test_both_overlays_stand_beside_each_other_once() -> None:
    alerting_state = AlertingState(AlertSettings(), BEFORE)
    alerting_state.add_action(acknowledged(1))
    alerting_state.add_window(window(1, "pop"), T0)
    alerting_state.add_window(window(2, "a"), T0)
    shown = alerting_state.overlays([NODE], T0)
    assert shown == dict.fromkeys(("pop", "a/utama"), ("acknowledged", "maintenance"))


def test_another_configuration_keeps_what_people_did_and_planned() -> None:
    alerting_state = AlertingState(AlertSettings(), BEFORE)
    alerting_state.add_window(window(1, "pop"), T0)
    alerting_state.add_action(acknowledged(1))
    alerting_state.reconfigure(
        AlertSettings(),
        network({"a/utama": (), "b/utama": ("pop",)}, {"pop": ()}),
        alerting_state.zone,
    )
    assert alerting_state.overlays([], T0) == {"pop": ("maintenance",), "b/utama": ("maintenance",)}
    assert alerting_state.handling(1).active_acknowledgement(T0) is not None


def test_a_window_that_is_ended_takes_the_place_of_what_was_planned() -> None:
    alerting_state = AlertingState(AlertSettings(), BEFORE)
    alerting_state.add_window(window(1, "b/utama"), T0)
    alerting_state.add_window(replace(window(1, "b/utama"), ended_s=T0 + 5, ended_by="p"), T0 + 5)
    assert alerting_state.overlays([], T0 + 5) == {}
    assert len(alerting_state.maintenance.windows) == 1


def test_windows_that_were_over_long_ago_are_let_go() -> None:
    alerting_state = AlertingState(AlertSettings(), BEFORE)
    alerting_state.add_window(window(1, "a"), T0)
    alerting_state.add_window(
        window(2, "b", start=WINDOW_RETENTION_S, end=WINDOW_RETENTION_S + 700),
        T0 + WINDOW_RETENTION_S,
    )
    assert [each.id for each in alerting_state.maintenance.windows] == [1, 2]
    alerting_state.add_window(
        window(3, "b", start=WINDOW_RETENTION_S, end=WINDOW_RETENTION_S + 800),
        T0 + WINDOW_RETENTION_S + 700,
    )
    assert [each.id for each in alerting_state.maintenance.windows] == [2, 3]
